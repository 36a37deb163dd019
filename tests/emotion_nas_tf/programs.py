"""Starts the programs as a user does."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(program, *flags):
    return subprocess.run(
        [sys.executable, "-m", f"emotion_nas_tf.{program}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(process, *messages):
    """One helpful sentence, exit code 2, nothing on standard output."""
    assert process.returncode == 2, process.stderr
    for message in messages:
        assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
