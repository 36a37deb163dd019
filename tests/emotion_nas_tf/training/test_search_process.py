"""A search in a process of its own."""

import dataclasses
import os
import signal

import numpy as np
import pytest
from small_search import NETWORK, SEARCH

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training import search_process
from emotion_nas_tf.training.alpha_record import load_alphas
from emotion_nas_tf.training.search_process import (
    search_fold_apart,
    threads_apart,
)
from emotion_nas_tf.worker_processes import call_apart
from tfrecords_builder.errors import UsageError, WorkError

THREADS = "TF_NUM_INTRAOP_THREADS"
CONFIG = dataclasses.replace(SEARCH, epochs=1, watch_hessian=False)


@pytest.fixture
def no_threads_set(monkeypatch):
    monkeypatch.delenv(THREADS, raising=False)


def test_threads_are_fewer_than_cores(no_threads_set):
    # 16 utterances are four parts, 6 are two: the cores are shared by them.
    sixteen = dataclasses.replace(SEARCH, batch_size=16)
    six = dataclasses.replace(SEARCH, batch_size=6)
    assert threads_apart(sixteen, 2) == 1
    assert threads_apart(sixteen, 16) == 4
    assert threads_apart(six, 16) == 8
    parted = dataclasses.replace(sixteen, micro_batches=4)
    assert threads_apart(parted, 16) == 8
    # Nothing to gain.
    assert threads_apart(sixteen, 1) is None
    assert threads_apart(dataclasses.replace(SEARCH, batch_size=7), 16) is None


def test_threads_of_a_user_and_a_gpu_are_left(no_threads_set, monkeypatch):
    monkeypatch.setattr(
        search_process.tf.config, "list_physical_devices", lambda kind: [kind]
    )
    assert threads_apart(SEARCH, 16) is None
    monkeypatch.undo()
    monkeypatch.setenv(THREADS, "5")
    assert threads_apart(SEARCH, 16) is None


def test_another_process_has_the_threads():
    def look():
        import tensorflow as tf

        config = tf.config.threading.get_intra_op_parallelism_threads()
        return os.getpid(), os.environ[THREADS], config

    # TensorFlow's own setting stays 0, "as the variable says".
    process, threads, config = call_apart(look, kernel_threads=3)
    assert process != os.getpid()
    assert (threads, config) == ("3", 0)


@pytest.fixture
def arguments(small_records, tmp_path):
    """Of `search_fold`."""
    protocol = ProtocolConfig(small_records, tmp_path, (1,), "first")
    manifest, (fold,) = open_records(protocol)
    directory = RunDirectory(tmp_path).test(1, fold.test_speaker)
    return small_records, manifest, fold, directory, NETWORK, CONFIG


def test_finds_what_a_search_here_finds(arguments, tmp_path, monkeypatch):
    genotype = search_fold_apart(1, *arguments)
    here = [*arguments]
    here[3] = RunDirectory(tmp_path / "here").test(1, "08")
    assert search_fold_apart(None, *here) == genotype
    found, expected = (
        load_alphas(each[3].spectrogram).alphas for each in (arguments, here)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)

    # What is finished is looked at here, and kept.
    monkeypatch.setattr(search_process, "call_apart", None)
    assert search_fold_apart(1, *arguments) == genotype
    other = [*arguments[:-1], dataclasses.replace(CONFIG, seed=1)]
    with pytest.raises(UsageError, match="other settings"):
        search_fold_apart(1, *other)


def test_errors_come_back(arguments, monkeypatch):
    def refuse(*_):
        raise UsageError("not so")

    monkeypatch.setattr(search_process, "search_fold", refuse)
    with pytest.raises(UsageError, match="not so"):
        search_fold_apart(1, *arguments)


def test_says_that_the_process_was_killed(arguments, monkeypatch):
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(search_process, "search_fold", die)
    with pytest.raises(WorkError, match=r"memory for a search\?.*--micro_ba"):
        search_fold_apart(1, *arguments)
