"""The flag that says how large a frame is, where no records say it."""

from absl import flags

from emotion_nas_tf.config import RecurrentConfig

_INPUT_SIZE = flags.DEFINE_integer(
    "input_size",
    RecurrentConfig().input_size,
    "Size of a frame's features.",
    lower_bound=1,
)


def input_size() -> int:
    """What the flag says."""
    return _INPUT_SIZE.value
