"""What programs that work on several runs ask of their folders."""

from collections.abc import Sequence
from pathlib import Path

from tfrecords_builder.errors import UsageError


def check_several(paths: Sequence[Path]) -> None:
    """Refuses what are not several runs.

    Raises:
      UsageError: when they are fewer than two, or one is named twice.
    """
    if len({path.resolve() for path in paths}) < len(paths) or len(paths) < 2:
        raise UsageError(
            "Name at least two runs, each once, e.g. "
            "--run_dirs=runs/seed0,runs/seed1. Received: "
            f"{','.join(map(str, paths)) or 'none'}"
        )
