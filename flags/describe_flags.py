"""Flags of `emotion_nas_tf.describe`."""

from absl import flags

_STREAM = flags.DEFINE_enum(
    "stream", "spectrogram", ("spectrogram",), "Whose network."
)
_NUM_CLASSES = flags.DEFINE_integer(
    "num_classes", 4, "Emotions.", lower_bound=2
)


def num_classes() -> int:
    """How many classes the network tells apart."""
    return _NUM_CLASSES.value


def stream() -> str:
    """Which stream's network is described."""
    return _STREAM.value
