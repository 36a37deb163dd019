"""Work side by side: every result once, in whatever order and place."""

import functools
import importlib.util
import os
import signal
import time

import pytest

from emotion_nas_tf.recurrent.parallel import check_backend, parallel_workers
from tfrecords_builder.errors import UsageError, WorkError


def square(item):
    time.sleep(0.1 * (item == 0))
    return item * item, os.getpid(), os.environ.get("PREPARED")


def prepare():
    os.environ["PREPARED"] = "yes"


def die(item):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("backend", "workers"),
    [("loky", 2), ("loky", 1), ("threading", 2), ("sequential", 2)],
)
def test_every_result_comes_once(backend, workers):
    with parallel_workers(workers, backend, prepare) as run:
        results = list(run(square, range(5))) + list(run(square, range(5, 7)))
        assert list(run(square, [])) == []
    assert {r[0] for r in results} == {0, 1, 4, 9, 16, 25, 36}
    assert len(results) == 7
    elsewhere = backend == "loky"
    assert {pid != os.getpid() for _, pid, _ in results} == {elsewhere}
    assert {found for *_, found in results} == {"yes" if elsewhere else None}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_is_a_sentence(workers):
    with (
        pytest.raises(WorkError, match="killed; was there too little memory"),
        parallel_workers(workers) as run,
    ):
        list(run(die, range(2)))


def test_an_error_arrives_as_it_is():
    with (
        pytest.raises(UsageError, match="no such thing"),
        parallel_workers(2) as run,
    ):
        list(run(functools.partial(fail, "no such thing"), range(3)))


def fail(message, item):
    raise UsageError(message)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs ray, .*emotion-nas-tf\[ray\]"):
        check_backend("ray")
    with pytest.raises(UsageError, match="needs dask and distributed"):
        check_backend("dask")
    check_backend("loky")
    with pytest.raises(UsageError, match="known are loky, threading"):
        check_backend("spark")
