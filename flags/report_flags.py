"""Flags of `emotion_nas_tf.report`: the run alone."""

from pathlib import Path

from flags import run_dir_flags


def run_dir() -> Path:
    """The run's folder."""
    return Path(run_dir_flags.RUN_DIR.value)
