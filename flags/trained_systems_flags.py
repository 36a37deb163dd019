"""What `train` shall make: --systems, as far as --streams has them."""

from emotion_nas_tf.systems import STREAMS, SYSTEMS
from flags import streams_flags
from flags.systems_flags import systems
from tfrecords_builder.errors import UsageError

_TRAIN = "emotion_nas_tf.train"


def trained_systems() -> tuple[str, ...]:
    """What `train` shall make, as it was named; none for all.

    Raises:
      UsageError: for a name that is nothing to train, or of a stream that
        --streams leaves out.
    """
    known = [
        name for name, system in SYSTEMS.items() if system.program == _TRAIN
    ]
    unknown = [name for name in systems() if name not in known]
    if unknown:
        raise UsageError(
            f"--systems: {', '.join(unknown)} is nothing to train; known are "
            f"{', '.join(known)}."
        )
    streams = streams_flags.streams()
    for name in systems():
        stream = SYSTEMS[name].stream
        if streams and stream in STREAMS and stream not in streams:
            raise UsageError(
                f"--systems: {name} is of the stream {stream}, which "
                f"--streams={','.join(streams)} leaves out."
            )
    return systems()
