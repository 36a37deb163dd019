"""Worker processes: how they begin, and how they end.

Pure Python.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from tfrecords_builder.errors import WorkError
from tfrecords_builder.program import KERNEL_THREADS, load_tensorflow

# Called once in a worker process, before its first piece of work.
Prepare = Callable[[], None]

Result = TypeVar("Result")

_WATCH_SECONDS = 0.5


def begin(parent: int, prepare: Prepare) -> None:
    """What a worker's initializer does.

    Args:
      parent: process id of the parent.
      prepare: called then.
    """
    _end_with(parent)
    prepare()


def load_tensorflow_quietly(limit: Prepare = lambda: None) -> None:
    """Imports TensorFlow with no more words than the parent's.

    For `prepare`: the first piece of work would otherwise import it with all
    its notices.

    Args:
      limit: what must be set between the import and the first tensor.
    """

    def set_up() -> None:
        import tensorflow as tf

        # As in the program: what it tells its developers is not for users.
        tf.get_logger().setLevel("ERROR")
        limit()

    load_tensorflow(set_up)


def _end_with(parent: int) -> None:
    """Ends this process soon after its parent.

    A worker whose parent was killed would go on in a folder that the parent's
    successor writes to.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def call_in_process(
    function: Callable[..., Result], *arguments: object, kernel_threads: int
) -> Result:
    """Calls a function in a process of its own, and waits for it.

    TensorFlow fixes how many threads an operation has when it starts: what
    wants another number than this process needs another process.

    Args:
      function: one that can be pickled, with its arguments and its result.
      *arguments: the function's.
      kernel_threads: for one operation.

    Returns:
      The function's result. What it raises is raised here.

    Raises:
      TerminatedWorkerError: when the process was killed.
    """
    with ProcessPoolExecutor(
        max_workers=1,
        initializer=begin,
        initargs=(os.getpid(), load_tensorflow_quietly),
        env={KERNEL_THREADS: str(kernel_threads)},
    ) as executor:
        try:
            return executor.submit(function, *arguments).result()
        except KeyboardInterrupt:
            # Its work would be waited for, which may be hours.
            executor.shutdown(kill_workers=True)
            raise


@contextlib.contextmanager
def deaths_explained(work: str, remedy: str) -> Iterator[None]:
    """Turns the death of a worker process into a sentence.

    Args:
      work: what memory may have been too small for, e.g. `4 tests at a time`.
      remedy: a sentence: how the same command goes on with less memory.

    Raises:
      WorkError: when a worker process was killed.
    """
    try:
        yield
    except TerminatedWorkerError as error:
        raise WorkError(
            f"A worker process was killed; was there too little memory for "
            f"{work}? What was finished is kept. {remedy}"
        ) from error
