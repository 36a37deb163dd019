"""A search in a process of its own."""

import dataclasses
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from processes import is_running, wait_until
from programs import ROOT
from small_search import SEARCH

from emotion_nas_tf.config import NetworkConfig, ProtocolConfig, SearchConfig
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training import search_process
from emotion_nas_tf.training.alpha_record import load_alphas
from emotion_nas_tf.training.search_process import (
    search_fold_in_process,
    search_threads,
)
from emotion_nas_tf.worker_processes import call_in_process
from tfrecords_builder.errors import UsageError, WorkError

THREADS = "TF_NUM_INTRAOP_THREADS"
NETWORK = NetworkConfig(num_cells=3, num_channels=2, num_nodes=1)
CONFIG = dataclasses.replace(SEARCH, epochs=1, watch_hessian=False)


@pytest.fixture
def devices(monkeypatch):
    """The GPUs: none; nor has anybody set a number of threads."""
    devices = []
    monkeypatch.delenv(THREADS, raising=False)
    monkeypatch.setattr(
        search_process.tf.config,
        "list_physical_devices",
        {"GPU": devices}.__getitem__,
    )
    return devices


@pytest.mark.parametrize(
    ("batch_size", "micro_batches", "cores", "here", "threads"),
    [
        # 16 utterances are four parts, 6 are two: they share the cores.
        (16, 1, 2, 2, 1),
        (16, 1, 16, 16, 4),
        (6, 1, 16, 16, 8),
        (16, 4, 16, 16, 8),
        # A container may use one of 64 cores, which TensorFlow does not see.
        (16, 1, 1, 64, 1),
        # Nothing to gain.
        (16, 1, 1, 1, None),
        (7, 1, 16, 16, None),
    ],
)
def test_threads_of_an_operation(
    devices, batch_size, micro_batches, cores, here, threads
):
    config = SearchConfig(batch_size=batch_size, micro_batches=micro_batches)
    assert search_threads(config, cores, here) == threads


def test_searches_here_where_another_process_would_not_help(
    devices, monkeypatch
):
    config = SearchConfig(batch_size=16)
    assert search_threads(config, 16, 16) == 4
    exact = dataclasses.replace(config, deterministic=True)
    assert search_threads(exact, 16, 16) is None
    devices.append("GPU:0")
    assert search_threads(config, 16, 16) is None
    devices.clear()
    monkeypatch.setenv(THREADS, "5")
    assert search_threads(config, 16, 16) is None


# Says which process it is and its threads; then goes on for a minute.
PROGRAM = """
import os
import signal
import sys
import time
from pathlib import Path
from emotion_nas_tf.worker_processes import call_in_process

def work(folder):
    (folder / f"{os.getpid()}-{os.environ['TF_NUM_INTRAOP_THREADS']}").touch()
    time.sleep(60)

# What was started in the background of a shell would not hear of it.
signal.signal(signal.SIGINT, signal.default_int_handler)
call_in_process(work, Path(sys.argv[1]), kernel_threads=3)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_both_processes_end_when_one_is_told_to(tmp_path, sent):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), THREADS: "7"},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: any(tmp_path.iterdir()), seconds=50)
        (name,) = [path.name for path in tmp_path.iterdir()]
        process, threads = name.split("-")
        assert int(process) != program.pid
        assert threads == "3"
        program.send_signal(sent)
        assert program.wait(timeout=20) != 0
        wait_until(lambda: not is_running(int(process)), seconds=20)
    finally:
        program.kill()


@pytest.fixture
def arguments(small_records, tmp_path):
    """Of `search_fold`."""
    protocol = ProtocolConfig(small_records, tmp_path, (1,), "first")
    manifest, (fold,) = open_records(protocol)
    directory = RunDirectory(tmp_path).test(1, fold.test_speaker)
    return small_records, manifest, fold, directory, NETWORK, CONFIG


def test_finds_what_a_search_here_finds(arguments, tmp_path, monkeypatch):
    asked = []

    def note(function, *arguments, kernel_threads):
        asked.append(kernel_threads)
        return call_in_process(
            function, *arguments, kernel_threads=kernel_threads
        )

    monkeypatch.setattr(search_process, "call_in_process", note)
    genotype = search_fold_in_process(1, *arguments)
    assert asked == [1]
    here = [*arguments]
    here[3] = RunDirectory(tmp_path / "here").test(1, arguments[2].test_speaker)
    assert search_fold_in_process(None, *here) == genotype
    # Adam moves by 3e-4 a step. Sums of other threads round otherwise.
    found, expected = (
        load_alphas(each[3].spectrogram).alphas for each in (arguments, here)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)

    # What is finished is looked at here, and kept.
    assert search_fold_in_process(1, *arguments) == genotype
    other = [*arguments[:-1], dataclasses.replace(CONFIG, seed=1)]
    with pytest.raises(UsageError, match="other settings"):
        search_fold_in_process(1, *other)
    assert asked == [1]


def test_errors_come_back(arguments, monkeypatch):
    def refuse(*_):
        raise UsageError("not so")

    monkeypatch.setattr(search_process, "search_fold", refuse)
    with pytest.raises(UsageError, match="not so"):
        search_fold_in_process(1, *arguments)


def test_says_that_the_process_was_killed(arguments, monkeypatch):
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(search_process, "search_fold", die)
    with pytest.raises(WorkError, match=r"for a search\?.*--parallel_tests"):
        search_fold_in_process(1, *arguments)
