"""The flag of the programs that work on several runs: --run_dirs."""

from pathlib import Path

from absl import flags

_RUN_DIRS = flags.DEFINE_list(
    "run_dirs", [], "Folders of at least two runs that differ in their seed."
)


def run_dirs() -> tuple[Path, ...]:
    """The runs' folders, as they were named."""
    return tuple(Path(path) for path in _RUN_DIRS.value)
