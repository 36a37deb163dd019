"""Worker processes: none outlives its parent, none dies without a word.

Pure Python.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator

from joblib.externals.loky.process_executor import TerminatedWorkerError

from tfrecords_builder.errors import WorkError

_WATCH_SECONDS = 0.5


def end_with(parent: int) -> None:
    """Ends this process soon after its parent; for a worker's initializer.

    A worker whose parent was killed would go on in a folder that the parent's
    successor writes to.

    Args:
      parent: process id of the parent.
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
