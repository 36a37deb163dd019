"""Flags of `emotion_nas_tf.evaluate`: --systems, beside the protocol's."""

from emotion_nas_tf.config import EvaluateConfig
from flags import systems_flags


def evaluate_config() -> EvaluateConfig:
    """What the flags ask for."""
    return EvaluateConfig(systems=systems_flags.systems())
