"""Flags of the training of derived networks."""

from absl import flags

from emotion_nas_tf.config import DerivedTrainConfig
from flags import augmentation_flags, training_flags
from tfrecords_builder.config import SpectrogramConfig

_DEFAULTS = DerivedTrainConfig()

_EPOCHS = flags.DEFINE_integer(
    "train_epochs",
    _DEFAULTS.epochs,
    "Epochs of the training of a derived network.",
    lower_bound=1,
)
_DROP_PATH = flags.DEFINE_float(
    "drop_path",
    _DEFAULTS.drop_path,
    "What the probability that an edge is dropped for an utterance grows to, "
    "linearly over the epochs; identities are never dropped.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_LABEL_SMOOTHING = flags.DEFINE_float(
    "label_smoothing",
    _DEFAULTS.label_smoothing,
    "Share of the training target that all classes divide.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_AUGMENTATION = augmentation_flags.AugmentationFlags(
    "",
    _DEFAULTS,
    "features of the spectrogram",
    "columns of the spectrogram (140 columns are about 8 s)",
    (SpectrogramConfig.num_features - 1, SpectrogramConfig.num_columns - 1),
)
_MIXUP = flags.DEFINE_float(
    "mixup",
    _DEFAULTS.mixup,
    "Mixup: train on mixtures of two utterances in shares of Beta(ALPHA, "
    "ALPHA); 0.2 mixes a little, 1 evenly, 0 not at all.",
    lower_bound=0.0,
)
_WEIGHT_AVERAGING = flags.DEFINE_float(
    "weight_averaging",
    _DEFAULTS.weight_averaging,
    "Validate and keep the weights' moving average of this decay a step, say "
    "0.99; 0: the weights themselves.",
    lower_bound=0.0,
    upper_bound=0.99999,
)


def train_config() -> DerivedTrainConfig:
    """What the flags ask for.

    Raises:
      UsageError: for masks without the package that draws them.
    """
    return DerivedTrainConfig(
        **training_flags.training_settings(),
        epochs=_EPOCHS.value,
        drop_path=_DROP_PATH.value,
        label_smoothing=_LABEL_SMOOTHING.value,
        **_AUGMENTATION.settings(),
        mixup=_MIXUP.value,
        weight_averaging=_WEIGHT_AVERAGING.value,
    )
