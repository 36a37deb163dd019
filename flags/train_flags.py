"""Flags of the training of derived networks."""

from absl import flags

from emotion_nas_tf.config import SYSTEMS, TrainConfig
from flags import common_flags, training_flags
from tfrecords_builder.errors import UsageError

_EPOCHS = flags.DEFINE_integer(
    "train_epochs",
    TrainConfig().epochs,
    "Epochs of the training of a derived network.",
    lower_bound=1,
)


def train_config() -> TrainConfig:
    """What the flags ask for."""
    return TrainConfig(
        **training_flags.training_settings(), epochs=_EPOCHS.value
    )


def derived_systems() -> tuple[str, ...]:
    """Which derived networks are wanted; all by default.

    Raises:
      UsageError: for a name that is no derived network.
    """
    derived = SYSTEMS[1:]
    wanted = common_flags.SYSTEMS.value or derived
    unknown = [name for name in wanted if name not in derived]
    if unknown:
        raise UsageError(
            f"--systems: {', '.join(unknown)} is not a derived network; known "
            f"are {', '.join(derived)}."
        )
    return tuple(wanted)
