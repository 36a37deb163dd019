"""Steps of a run: order, kills, failures, parallel tests, time left."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from processes import is_running, wait_until

from emotion_nas_tf.evaluation.cross_validation import (
    Step,
    run_tests,
    workers_that_fit,
)
from emotion_nas_tf.evaluation.step_clock import (
    FILE_NAME,
    StepClock,
    describe_rest,
)
from tfrecords_builder.errors import UsageError, WorkError

NOON = datetime(2026, 1, 5, 12)
ROOT = Path(__file__).resolve().parents[3]


def make_steps(folder, test, error=None):
    """search, train, evaluate: each writes a file and notes itself."""

    def step(kind):
        path = folder / f"{test}-{kind}"

        def work():
            if error and kind == "train":
                raise error
            with (folder / "order").open("a") as file:
                file.write(f"{test}-{kind}\n")
            path.touch()

        return Step(test, kind, path.exists, work)

    return [step(kind) for kind in ("search", "train", "evaluate")]


def order(folder):
    return (folder / "order").read_text().split()


def test_steps_run_in_order_and_once(tmp_path, capsys):
    tests = [make_steps(tmp_path, name) for name in ("a", "b")]
    (tmp_path / "a-search").touch()
    run_tests(tests, tmp_path)
    everything = ["a-train", "a-evaluate", "b-search", "b-train", "b-evaluate"]
    assert order(tmp_path) == everything
    said = capsys.readouterr().err
    assert "a: train. 5 steps left.\n" in said
    # One training has been measured by then, one evaluation too, no search.
    assert "b: search. 3 steps left, about 0 s, done" in said
    assert "not counting search (not yet measured)" in said

    run_tests(tests, tmp_path)
    assert order(tmp_path) == everything
    assert capsys.readouterr().err == ""


def test_what_is_done_is_checked_where_asked(tmp_path, capsys):
    steps = [
        dataclasses.replace(step, is_done=lambda: True, checks=checks)
        for step, checks in zip(
            make_steps(tmp_path, "a"), (True, False, True), strict=True
        )
    ]
    run_tests([steps], tmp_path)
    assert order(tmp_path) == ["a-search", "a-evaluate"]
    assert capsys.readouterr().err == ""


def test_a_failing_test_does_not_stop_the_others(tmp_path):
    tests = [
        make_steps(tmp_path, "a", WorkError("the loss is infinite")),
        make_steps(tmp_path, "b"),
    ]
    with pytest.raises(WorkError, match=r"1 of 2 tests.*\na, train: the loss"):
        run_tests(tests, tmp_path)
    assert order(tmp_path) == ["a-search", "b-search", "b-train", "b-evaluate"]


def test_nor_does_one_whose_finished_step_is_damaged(tmp_path):
    broken = [
        dataclasses.replace(step, is_done=lambda: True, checks=True)
        for step in make_steps(tmp_path, "a", WorkError("config.json is odd"))
    ]
    with pytest.raises(WorkError, match=r"1 of 2 tests.*\na, train: config"):
        run_tests([broken, make_steps(tmp_path, "b")], tmp_path)
    assert order(tmp_path) == ["a-search", "b-search", "b-train", "b-evaluate"]


def test_bad_use_stops_everything(tmp_path):
    tests = [
        make_steps(tmp_path, "a", UsageError("other settings")),
        make_steps(tmp_path, "b"),
    ]
    with pytest.raises(UsageError, match="other settings"):
        run_tests(tests, tmp_path)
    assert order(tmp_path) == ["a-search"]


def test_tests_run_in_processes_of_their_own(tmp_path):
    tests = [
        make_steps(tmp_path, "a"),
        make_steps(tmp_path, "b", WorkError("full")),
        make_steps(tmp_path, "c"),
    ]
    with pytest.raises(WorkError, match=r"1 of 3 tests.*\nb, train: full"):
        run_tests(tests, tmp_path, num_workers=2)
    done = order(tmp_path)
    for name in "ac":
        steps = [step for step in done if step.startswith(name)]
        assert steps == [f"{name}-{k}" for k in ("search", "train", "evaluate")]
    assert [step for step in done if step.startswith("b")] == ["b-search"]


def test_a_test_whose_process_is_killed_is_a_sentence(tmp_path):
    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def never():
        return False

    tests = [[Step(name, "search", never, die)] for name in "ab"]
    with pytest.raises(
        WorkError, match=r"memory for 2 tests at a time.*lower --parallel_tests"
    ):
        run_tests(tests, tmp_path, num_workers=2)


# Two tests in processes of their own, each of one long step.
PROGRAM = """
import os, sys, time
from pathlib import Path
from emotion_nas_tf.evaluation.cross_validation import Step, run_tests

folder = Path(sys.argv[1])

def work():
    (folder / f"worker-{os.getpid()}").touch()
    time.sleep(60)

def never():
    return False

run_tests([[Step(n, "search", never, work)] for n in "ab"], folder, 2)
"""


def test_tests_do_not_outlive_a_run_that_is_killed(tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def workers():
        return [int(path.name[7:]) for path in tmp_path.glob("worker-*")]

    try:
        wait_until(lambda: len(workers()) == 2, seconds=50)
    finally:
        run.kill()
    assert run.wait() == -signal.SIGKILL
    # Long before their work is done.
    wait_until(lambda: not any(map(is_running, workers())), seconds=20)


# Two tests that need TensorFlow.
QUIET_PROGRAM = """
import sys
from pathlib import Path
from emotion_nas_tf.evaluation.cross_validation import Step, run_tests
from emotion_nas_tf.worker_processes import load_tensorflow_quietly

def work():
    import tensorflow as tf

    tf.get_logger().warning("for developers")

def never():
    return False

tests = [[Step(name, "search", never, work)] for name in "ab"]
run_tests(tests, Path(sys.argv[1]), 2, load_tensorflow_quietly)
"""


def test_processes_of_tests_start_without_notices(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", QUIET_PROGRAM, str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(line[:11] for line in run.stderr.splitlines()) == [
        "a: search. ",
        "b: search. ",
    ]


def test_steps_that_were_killed_are_not_measured(tmp_path):
    times = iter([0.0, 30.0, 50.0, 100.0, 190.0])
    clock = StepClock(tmp_path, now=lambda: next(times))
    clock.start("a", "search")
    clock.end("a", "search")
    # Killed: a second process begins the same step again.
    clock.start("b", "search")
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('\n{"test": "b", "ki')
    again = StepClock(tmp_path, now=lambda: next(times))
    again.start("b", "search")
    again.end("b", "search")
    again.start("c", "search")
    again.end("c", "search")
    assert clock.mean_seconds() == {"search": 30.0 + 30.0}
    lines = (tmp_path / FILE_NAME).read_text().splitlines()
    measured = [json.loads(x)["seconds"] for x in lines if "seconds" in x]
    assert measured == [30.0, 90.0]


@pytest.mark.parametrize(
    ("left", "num_workers", "expected"),
    [
        (["search"], 1, "1 step left, about 1 h 40 min, done Mon 13:40"),
        (
            ["search", "train", "search"],
            2,
            "3 steps left, about 1 h 45 min, done Mon 13:45",
        ),
        (
            ["train", "export"],
            1,
            "2 steps left, about 10 min, done Mon 12:10, "
            "not counting export (not yet measured)",
        ),
        (["export"], 1, "1 step left"),
    ],
)
def test_time_left(left, num_workers, expected):
    means = {"search": 6000.0, "train": 600.0}
    assert describe_rest(left, means, num_workers, NOON) == expected


def test_memory_limits_the_tests_at_a_time():
    assert workers_that_fit(4, 3e9, 10e9) == 3
    assert workers_that_fit(2, 3e9, 10e9) == 2
    assert workers_that_fit(4, 3e9, 1e9) == 1
    assert workers_that_fit(4, 3e9, None) == 4
