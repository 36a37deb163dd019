"""The flag that chooses streams."""

from absl import flags

from emotion_nas_tf.systems import STREAMS
from tfrecords_builder.errors import UsageError

_STREAMS = flags.DEFINE_list(
    "streams",
    [],
    f"Of {', '.join(STREAMS)}. Default: those that the records have features "
    "for.",
)


def streams() -> tuple[str, ...]:
    """The streams that were named, in their own order; none for the default.

    Raises:
      UsageError: for a name that is no stream.
    """
    unknown = [name for name in _STREAMS.value if name not in STREAMS]
    if unknown:
        raise UsageError(
            f"--streams: {', '.join(unknown)} is no stream; there are "
            f"{', '.join(STREAMS)}."
        )
    return tuple(name for name in STREAMS if name in _STREAMS.value)
