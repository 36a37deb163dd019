"""Flags of `emotion_nas_tf.compare`."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import CompareConfig

_RUN_DIRS = flags.DEFINE_list(
    "run_dirs", [], "Folders of at least two runs that differ in their seed."
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "A JSON file to write the numbers to."
)


def compare_config() -> CompareConfig:
    """What the flags ask for."""
    return CompareConfig(
        run_dirs=tuple(Path(path) for path in _RUN_DIRS.value),
        output=Path(_OUTPUT.value) if _OUTPUT.value else None,
    )
