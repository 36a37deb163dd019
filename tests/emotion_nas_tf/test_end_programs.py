"""evaluate, export, predict and report as a user starts them, wrongly."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--fold=2", "--records_dir=FOLDER"], "no records in"),
        (["evaluate"], "--fold=2"),
        (["evaluate", "--fold=two"], "--fold"),
        (["evaluate", "--fold=2", "stray"], "Only flags are understood"),
        (["export", "--fold=2", "--run_dir=FOLDER/none"], "no such test"),
        (["predict", "a.wav"], "--model"),
        (["predict", "--model=FOLDER"], "Name audio files"),
        (["predict", "--model=FOLDER", "a.wav"], "no exported model in"),
        (["report", "--run_dir=FOLDER/none"], "There is no run in"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    tmp_path, arguments, message
):
    program, *flags = arguments
    flags = [flag.replace("FOLDER", str(tmp_path)) for flag in flags]
    process = subprocess.run(
        [sys.executable, "-m", f"emotion_nas_tf.{program}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    assert list(tmp_path.iterdir()) == []
