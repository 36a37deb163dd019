"""The flag of the programs that work on some of a test's networks."""

from absl import flags

from emotion_nas_tf.systems import SPECTROGRAM, SYSTEMS, systems_of
from tfrecords_builder.errors import UsageError

_SYSTEMS = flags.DEFINE_list(
    "systems",
    [],
    f"Which systems, of {', '.join(SYSTEMS)}. Default: all.",
)


def systems() -> tuple[str, ...]:
    """The networks that were named; none for all."""
    return tuple(_SYSTEMS.value)


def derived_systems() -> tuple[str, ...]:
    """Which derived networks are wanted; all by default.

    Raises:
      UsageError: for a name that is no derived network.
    """
    derived = systems_of(SPECTROGRAM)[1:]
    unknown = [name for name in systems() if name not in derived]
    if unknown:
        raise UsageError(
            f"--systems: {', '.join(unknown)} is not a derived network; known "
            f"are {', '.join(derived)}."
        )
    return systems() or derived
