"""Flags of the fusion of the streams."""

from absl import flags

from emotion_nas_tf.config import (
    FUSION_ACTIVATIONS,
    FUSION_DATA,
    FusionConfig,
)
from emotion_nas_tf.systems import STREAMS, SYSTEMS, systems_of
from flags import seed_flags
from flags.positive import define_positive
from tfrecords_builder.errors import UsageError

_DEFAULTS = FusionConfig()

_FUSED = flags.DEFINE_list(
    "fused",
    list(_DEFAULTS.fused),
    "Which system of each stream is fused.",
)
_DATA = flags.DEFINE_enum(
    "fusion_data",
    _DEFAULTS.data,
    FUSION_DATA,
    "Whose probabilities the perceptron is fitted on: the training speakers' "
    "(many, but too sure: the streams heard them), the validation speaker's, "
    "or the training speakers' by streams trained without them, which takes a "
    "training of each stream for each group of sessions. Never the test "
    "speaker's.",
)
_GROUPS = flags.DEFINE_integer(
    "cross_fit_groups",
    None,
    "Groups of training sessions, left out in turn for cross_fitted. Default: "
    "one a session.",
    lower_bound=2,
)
_EPOCHS = flags.DEFINE_integer(
    "fusion_epochs", _DEFAULTS.epochs, "Of the perceptron.", lower_bound=1
)
_LEARNING_RATE = define_positive(
    "fusion_learning_rate",
    _DEFAULTS.learning_rate,
    "Of the perceptron's Adam.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "fusion_batch_size",
    _DEFAULTS.batch_size,
    "Utterances a step of the perceptron.",
    lower_bound=1,
)
_ACTIVATION = flags.DEFINE_enum(
    "fusion_activation",
    _DEFAULTS.activation,
    FUSION_ACTIVATIONS,
    "Between the perceptron's layers; the paper does not say.",
)
_CLASS_BALANCE = flags.DEFINE_enum(
    "fusion_class_balance",
    _DEFAULTS.class_balance,
    ("none", "weights"),
    "Against class imbalance: weigh the perceptron's loss, or nothing.",
)


def fusion_config() -> FusionConfig:
    """What the flags ask for.

    Raises:
      UsageError: when a system fused is of no stream or named twice, or a
        flag would do nothing.
    """
    known = [name for stream in STREAMS for name in systems_of(stream)]
    fused = tuple(_FUSED.value)
    unknown = [name for name in fused if name not in known]
    if unknown or not fused or len(set(fused)) < len(fused):
        raise UsageError(
            "--fused must name systems of the streams, each once, of "
            f"{', '.join(known)}. Received: {','.join(fused) or 'none'}"
        )
    if _GROUPS.value is not None and _DATA.value != "cross_fitted":
        raise UsageError(
            "--cross_fit_groups does nothing with --fusion_data="
            f"{_DATA.value}: it is for cross_fitted. Leave it out."
        )
    return FusionConfig(
        fused=tuple(name for name in SYSTEMS if name in fused),
        data=_DATA.value,
        epochs=_EPOCHS.value,
        learning_rate=_LEARNING_RATE.value,
        batch_size=_BATCH_SIZE.value,
        activation=_ACTIVATION.value,
        class_balance=_CLASS_BALANCE.value,
        groups=_GROUPS.value,
        seed=seed_flags.SEED.value,
    )
