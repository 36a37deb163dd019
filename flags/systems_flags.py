"""The flag of the programs that work on some of a test's networks."""

from absl import flags

from emotion_nas_tf.systems import SYSTEMS

_SYSTEMS = flags.DEFINE_list(
    "systems",
    [],
    f"Which systems, of {', '.join(SYSTEMS)}. Default: all.",
)


def systems() -> tuple[str, ...]:
    """The networks that were named; none for all."""
    return tuple(_SYSTEMS.value)
