"""Flags of `emotion_nas_tf.evaluate`, beside those of the protocol."""

from absl import flags

from emotion_nas_tf.config import EvaluateConfig

_SYSTEMS = flags.DEFINE_list(
    "systems",
    [],
    "Networks to test, of search,inherited,retrained,random_cell. Default: "
    "all that are there.",
)


def evaluate_config() -> EvaluateConfig:
    """What the flags ask for."""
    return EvaluateConfig(systems=tuple(_SYSTEMS.value))
