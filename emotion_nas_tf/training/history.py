"""What each epoch came to, and which of them was best."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras

from emotion_nas_tf.training.epochs import INPUT_WAIT
from tfrecords_builder.errors import WorkError
from tfrecords_builder.history import (
    HISTORY_NAME,
    read_history,
    write_history,
)


class History(keras.callbacks.Callback):
    """Writes `history.csv`, a row an epoch, and keeps the best network.

    The best epoch is the one with the highest validation UA (paper, section
    3.1); among equals, the lower validation loss. `seconds` of an epoch inside
    which a killed run goes on are those since then.

    Args:
      folder: of `history.csv`.
      first_epoch: rows of this epoch and later ones, left by a killed run,
        are made again.
      columns: further numbers of an epoch, called after it.
      keep: called when an epoch is the best so far.

    Raises:
      WorkError: when the file lacks an epoch before `first_epoch`.
    """

    def __init__(
        self,
        folder: Path,
        first_epoch: int,
        keep: Callable[[], None],
        columns: Callable[[], Mapping[str, float]] = dict,
    ):
        super().__init__()
        self.path = folder / HISTORY_NAME
        self.rows = [
            row
            for row in read_history(self.path)
            if row["epoch"] <= first_epoch
        ]
        if len(self.rows) != first_epoch:
            raise WorkError(
                f"{self.path} does not hold the {first_epoch} epochs that the "
                f"last checkpoint counts. Remove the folder {folder} and run "
                "the program that wrote it again."
            )
        self.keep, self.columns = keep, columns

    @property
    def best(self) -> dict[str, float] | None:
        """The row of the best epoch."""
        return best_epoch(self.rows)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Starts the epoch's clock."""
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Adds the row; calls `keep` when it is the best."""
        logs = logs or {}
        self.rows.append(
            {
                "epoch": epoch + 1,
                "train_loss": logs["loss"],
                "train_ua": logs["ua"],
                "validation_loss": logs["val_loss"],
                "validation_ua": logs["val_ua"],
                **self.columns(),
                INPUT_WAIT: round(logs[INPUT_WAIT], 4),
                "seconds": round(time.monotonic() - self._start, 3),
            }
        )
        if self.best is self.rows[-1]:
            self.keep()
        write_history(self.path, self.rows)


def best_epoch(rows: Sequence[dict[str, float]]) -> dict[str, float] | None:
    """The row of highest validation UA, then of lowest validation loss."""
    return max(
        rows,
        key=lambda row: (row["validation_ua"], -row["validation_loss"]),
        default=None,
    )
