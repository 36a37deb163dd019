"""The flag of every program that works on a run."""

from pathlib import Path

from absl import flags

_RUN_DIR = flags.DEFINE_multi_string(
    "run_dir",
    ["runs/default"],
    "The run's folder; the last one counts, as elsewhere. Given several times, "
    "`report --tables` shows them all.",
)


def run_dir() -> Path:
    """The run's folder."""
    return Path(_RUN_DIR.value[-1])


def run_dirs() -> list[Path]:
    """All that were named; none when none was."""
    if not flags.FLAGS[_RUN_DIR.name].present:
        return []
    return list(dict.fromkeys(map(Path, _RUN_DIR.value)))
