"""Flags of the training of recurrent networks."""

from absl import flags

from emotion_nas_tf.config import RecurrentTrainConfig
from flags import augmentation_flags, training_flags
from flags.positive import define_positive

_DEFAULTS = RecurrentTrainConfig()

_EPOCHS = flags.DEFINE_integer(
    "recurrent_epochs",
    _DEFAULTS.epochs,
    "Epochs of the training of a recurrent network.",
    lower_bound=1,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "recurrent_batch_size",
    _DEFAULTS.batch_size,
    "Utterances in a step of it.",
    lower_bound=1,
)
_LEARNING_RATE = define_positive(
    "recurrent_learning_rate",
    _DEFAULTS.learning_rate,
    "Of its Adam; it stays the same.",
)
_GRADIENT_CLIP = define_positive(
    "recurrent_gradient_clip",
    _DEFAULTS.gradient_clip,
    "Greatest global norm of its gradient.",
)
_DROPOUT = flags.DEFINE_float(
    "recurrent_dropout",
    _DEFAULTS.dropout,
    "Share of an utterance's vector that is dropped before the classifier.",
    lower_bound=0.0,
    upper_bound=0.99,
)
_LABEL_SMOOTHING = flags.DEFINE_float(
    "recurrent_label_smoothing",
    _DEFAULTS.label_smoothing,
    "Share of its training target that all classes divide.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_MIXUP = flags.DEFINE_float(
    "recurrent_mixup",
    _DEFAULTS.mixup,
    "Train its classifier on mixtures of two utterances' vectors in shares of "
    "Beta(ALPHA, ALPHA); 0.2 mixes a little, 1 evenly, 0 not at all.",
    lower_bound=0.0,
)
_WEIGHT_AVERAGING = flags.DEFINE_float(
    "recurrent_weight_averaging",
    _DEFAULTS.weight_averaging,
    "Validate and keep its weights' moving average of this decay a step, say "
    "0.99; 0: the weights themselves.",
    lower_bound=0.0,
    upper_bound=0.99999,
)
_AUGMENTATION = augmentation_flags.AugmentationFlags(
    "recurrent_",
    _DEFAULTS,
    "features of a frame (of log-mel: neighbours belong together)",
    "frames",
)
# What both streams' trainings understand alike.
_SHARED = ("class_balance", "seed", "deterministic", "checkpoint_minutes")


def recurrent_train_config() -> RecurrentTrainConfig:
    """What the flags ask for.

    Raises:
      UsageError: for masks without the package that draws them.
    """
    settings = training_flags.training_settings()
    return RecurrentTrainConfig(
        epochs=_EPOCHS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        gradient_clip=_GRADIENT_CLIP.value,
        dropout=_DROPOUT.value,
        label_smoothing=_LABEL_SMOOTHING.value,
        mixup=_MIXUP.value,
        weight_averaging=_WEIGHT_AVERAGING.value,
        **_AUGMENTATION.settings(),
        **{name: settings[name] for name in _SHARED},
    )
