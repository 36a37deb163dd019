"""Flags of `emotion_nas_tf.compare`."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import CompareConfig
from flags import several_runs_flags

_OUTPUT = flags.DEFINE_string(
    "output", None, "A JSON file to write the numbers to."
)


def compare_config() -> CompareConfig:
    """What the flags ask for."""
    return CompareConfig(
        run_dirs=several_runs_flags.run_dirs(),
        output=Path(_OUTPUT.value) if _OUTPUT.value else None,
    )
