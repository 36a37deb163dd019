"""What a program prints before its own first line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOAD = "from tfrecords_builder.program import load_tensorflow as f; f(); "


def run(code: str, level: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": level},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tensorflow_starts_without_notices_and_errors_still_show():
    process = run(LOAD + "import sys; sys.exit('my own words')", level="2")
    assert process.stderr == "my own words\n"
    assert process.returncode == 1


def test_failing_import_shows_what_was_printed():
    broken = (
        "import sys, os; sys.modules['tensorflow'] = None; "
        "os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'; "
    )
    process = run(broken + LOAD, level="2")
    assert process.returncode == 1
    assert "ModuleNotFoundError" in process.stderr


@pytest.mark.parametrize(
    ("given", "own", "threads"),
    [
        ("deterministic=True", None, "1"),
        ("deterministic=True, kernel_threads=3", "5", "1"),
        ("kernel_threads=3", None, "3"),
        # A user's own setting goes before it.
        ("kernel_threads=3", "5", "5"),
        ("", None, "None"),
    ],
)
def test_threads_of_an_operation(monkeypatch, given, own, threads):
    name = "TF_NUM_INTRAOP_THREADS"
    monkeypatch.delenv(name, raising=False)
    if own:
        monkeypatch.setenv(name, own)
    # TensorFlow reads the variable when its devices start, on import.
    watch = (
        "import os, sys; "
        "find = type('Watch', (), {'find_spec': staticmethod("
        "lambda name, *_: name == 'tensorflow' and print("
        "os.environ.get('TF_NUM_INTRAOP_THREADS')) or None)}); "
        "sys.meta_path.insert(0, find); "
    )
    code = watch + LOAD.replace("f()", f"f({given})")
    assert run(code, level="2").stdout == f"{threads}\n"
