"""Flags of the training of derived networks."""

from absl import flags

from emotion_nas_tf.config import TrainConfig
from flags import training_flags

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
