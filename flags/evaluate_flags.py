"""Flags of `emotion_nas_tf.evaluate`: --systems, beside the protocol's."""

from emotion_nas_tf.config import EvaluateConfig
from flags import common_flags


def evaluate_config() -> EvaluateConfig:
    """What the flags ask for."""
    return EvaluateConfig(systems=tuple(common_flags.SYSTEMS.value))
