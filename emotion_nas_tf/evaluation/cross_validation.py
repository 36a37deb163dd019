"""All steps of all tests of a run: in order, or tests in parallel.

What the steps are is the program's; here is how they are run: what is done is
known from its files, so that a run that was killed goes on; a test that fails
does not stop the others; and what is left is said before every step.

Pure Python: no TensorFlow.
"""

import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import joblib

from emotion_nas_tf.evaluation.step_clock import StepClock, describe_rest
from emotion_nas_tf.worker_processes import Prepare, begin, deaths_explained
from tfrecords_builder.errors import WorkError
from tfrecords_builder.program import KERNEL_THREADS


@dataclass(frozen=True)
class Step:
    """One step of one test.

    Attributes:
      test: which, for people.
      kind: what, in a word: steps of one kind take about equally long.
      is_done: whether there is nothing to do, from what lies on disk.
      work: does it; goes on where it was killed.
      checks: `work` is called also when there is nothing to do, because it
        refuses what is there when it is of other settings.
    """

    test: str
    kind: str
    is_done: Callable[[], bool]
    work: Callable[[], None]
    checks: bool = False


def run_tests(
    tests: Sequence[Sequence[Step]],
    folder: Path,
    num_workers: int = 1,
    prepare: Prepare = lambda: None,
) -> None:
    """Runs what is not done of every test.

    Args:
      tests: the steps of each, in order.
      folder: of the run; it exists.
      num_workers: tests at a time, each in a process of its own; with 1, in
        this one.
      prepare: called first in every process that is not this one.

    Raises:
      UsageError: from a step; it would fail in every test, so nothing goes on.
      WorkError: when a step failed, after all other tests are done; at once
        when a test's process was killed.
    """
    num_workers = min(num_workers, len(tests))
    if num_workers == 1:
        failures = [_run_test(i, tests, folder, 1) for i in range(len(tests))]
    else:
        with (
            deaths_explained(
                f"{num_workers} tests at a time",
                "Run the same command again, with a lower --parallel_tests if "
                "so.",
            ),
            _workers(num_workers, prepare),
        ):
            failures = joblib.Parallel(n_jobs=num_workers, batch_size=1)(
                joblib.delayed(_run_test)(i, tests, folder, num_workers)
                for i in range(len(tests))
            )
    failures = [failure for failure in failures if failure]
    if failures:
        raise WorkError(
            f"{len(failures)} of {len(tests)} tests could not be finished; "
            "what is finished is kept.\n" + "\n".join(failures)
        )


def workers_that_fit(
    wanted: int, bytes_each: float, bytes_free: float | None
) -> int:
    """How many tests at a time memory allows; one at least.

    Args:
      wanted: tests at a time.
      bytes_each: of a test's largest step, estimated.
      bytes_free: now; None where the system does not tell.
    """
    if bytes_free is None:
        return wanted
    return max(1, min(wanted, math.floor(bytes_free / bytes_each)))


def _run_test(
    index: int, tests: Sequence[Sequence[Step]], folder: Path, num_workers: int
) -> str | None:
    """Runs one test's steps; says why it could not be finished."""
    clock = StepClock(folder)
    for step in tests[index]:
        is_done = step.is_done()
        if is_done and not step.checks:
            continue
        if not is_done:
            kinds = [s.kind for test in tests for s in test if not s.is_done()]
            rest = describe_rest(
                kinds, clock.mean_seconds(), num_workers, datetime.now()
            )
            print(
                f"{step.test}: {step.kind}. {rest}.",
                file=sys.stderr,
                flush=True,
            )
            clock.start(step.test, step.kind)
        try:
            step.work()
        except WorkError as error:
            message = f"{step.test}, {step.kind}: {error}"
            print(f"Failed: {message}", file=sys.stderr, flush=True)
            return message
        if not is_done:
            clock.end(step.test, step.kind)
    return None


@contextmanager
def _workers(num_workers: int, prepare: Prepare) -> Iterator[None]:
    """Divides the cores among processes that start inside; they end with us."""
    threads = str(max(1, joblib.cpu_count() // num_workers))
    before = os.environ.get(KERNEL_THREADS)
    os.environ[KERNEL_THREADS] = before or threads
    try:
        with joblib.parallel_config(
            backend="loky",
            inner_max_num_threads=int(threads),
            initializer=begin,
            initargs=(os.getpid(), prepare),
        ):
            yield
    finally:
        if before is None:
            del os.environ[KERNEL_THREADS]
