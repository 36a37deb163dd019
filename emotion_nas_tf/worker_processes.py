"""Worker processes: how they begin, and how they end.

Pure Python.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator

from joblib.externals.loky.process_executor import TerminatedWorkerError

from tfrecords_builder.errors import WorkError
from tfrecords_builder.program import load_tensorflow

# Called once in a worker process, before its first piece of work.
Prepare = Callable[[], None]

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


@contextlib.contextmanager
def deaths_explained(at_a_time: str, flag: str) -> Iterator[None]:
    """Turns the death of a worker process into a sentence.

    Args:
      at_a_time: how many of what, e.g. `4 tests`.
      flag: lowers their number.

    Raises:
      WorkError: when a worker process was killed.
    """
    try:
        yield
    except TerminatedWorkerError as error:
        raise WorkError(
            f"A worker process was killed; was there too little memory for "
            f"{at_a_time} at a time? What was finished is kept: run the same "
            f"command again, with a lower {flag} if so."
        ) from error
