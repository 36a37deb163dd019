"""What happens around the epochs of a search or a training."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras

from emotion_nas_tf.config import TrainConfig
from emotion_nas_tf.training.epochs import INPUT_WAIT
from emotion_nas_tf.training.optimizers import cosine_learning_rate
from tfrecords_builder.durations import duration
from tfrecords_builder.errors import WorkError
from tfrecords_builder.history import HISTORY_NAME

_SECONDS_BETWEEN_LINES = 15.0
_TOLERATED_INPUT_WAIT = 0.05


class CosineSchedule(keras.callbacks.Callback):
    """Sets the optimiser's rate at the start of every epoch.

    Args:
      optimizer: the weights' optimiser.
      config: rates and epochs.
    """

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, config: TrainConfig
    ):
        super().__init__()
        self.optimizer, self.config = optimizer, config

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Sets the rate of this epoch."""
        self.optimizer.learning_rate = cosine_learning_rate(
            epoch,
            self.config.epochs,
            self.config.learning_rate,
            # A rate set below the default's end stays where it is.
            min(self.config.learning_rate, self.config.final_learning_rate),
        )


class DivergedError(WorkError):
    """A loss is no longer a finite number."""


class FiniteLoss(keras.callbacks.Callback):
    """Stops with a sentence when a loss is no longer finite.

    Args:
      folder: where the last good state is, for the message.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks at the running means of this epoch.

        Raises:
          DivergedError: when one is not a number.
        """
        self._check(logs or {}, f"step {batch + 1} of this epoch")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks at the validation's: the last step is seen in them alone.

        Raises:
          DivergedError: when one is not a number.
        """
        self._check(logs or {}, f"end of epoch {epoch + 1}")

    def _check(self, logs: dict, where: str) -> None:
        bad = [name for name, v in logs.items() if not math.isfinite(v)]
        if bad:
            raise DivergedError(
                f"{', '.join(bad)} is no longer a finite number ({where}). "
                f"The last good state is kept in {self.folder}. Lower "
                "the learning rate and use another --run_dir."
            )


class Progress(keras.callbacks.Callback):
    """Prints rate and time left, now and then and after every epoch.

    Args:
      title: what is being trained.
      num_steps: steps of an epoch.
      epochs: of the whole training.
      first_step: steps completed, of all epochs: where it begins now.
    """

    def __init__(
        self, title: str, num_steps: int, epochs: int, first_step: int
    ):
        super().__init__()
        self.title = title
        self.num_steps, self.epochs = num_steps, epochs
        self.first_step = first_step

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Says what is going to happen: the first step takes long."""
        epoch, step = divmod(self.first_step, self.num_steps)
        done = f"epoch {epoch}" if epoch else ""
        if step:
            done = f"step {step} of epoch {epoch + 1}"
        show_progress(
            f"{self.title}: {f'going on after {done}; ' if done else ''}"
            f"{self.epochs} epochs of {self.num_steps} steps; the first step "
            "compiles for up to a minute."
        )
        self._steps = 0
        # The first step is left out of the rate.
        self._start = self._last_line = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes which epoch it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Prints a line when none was printed for a while."""
        now = time.monotonic()
        if self._start is None:
            self._start = self._last_line = now
            return
        self._steps += 1
        if now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            show_progress(
                f"{self.title}: epoch {self._epoch + 1}/{self.epochs}, step "
                f"{batch + 1}/{self.num_steps}, {self._rate(batch + 1)}"
            )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints losses and UA."""
        logs = logs or {}
        rate = self._rate(self.num_steps) if self._steps else "..."
        show_progress(
            f"{self.title}: epoch {epoch + 1}/{self.epochs} done, training "
            f"loss {logs['loss']:.3f} UA {100 * logs['ua']:.1f} %, "
            f"validation loss {logs['val_loss']:.3f} UA "
            f"{100 * logs['val_ua']:.1f} %, {rate}"
        )

    def _rate(self, step: int) -> str:
        seconds = (time.monotonic() - self._start) / max(1, self._steps)
        done = self._epoch * self.num_steps + step
        left = seconds * (self.epochs * self.num_steps - done)
        return f"{seconds:.2f} s a step, {duration(left)} left"


class InputWatch(keras.callbacks.Callback):
    """Says so when steps wait for their data.

    Args:
      title: what is being trained.
    """

    def __init__(self, title: str):
        super().__init__()
        self.title = title
        self._said = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints a line, once, when more than a twentieth of it is lost."""
        share = (logs or {})[INPUT_WAIT]
        if share > _TOLERATED_INPUT_WAIT and not self._said:
            self._said = True
            show_progress(
                f"{self.title}: {100 * share:.0f} % of the time of epoch "
                f"{epoch + 1}'s steps was spent waiting for data. Is another "
                "program using the processors? The share of every epoch is "
                f"in {HISTORY_NAME}."
            )


class EpochEnd(keras.callbacks.Callback):
    """Calls a function with the number of epochs completed."""

    def __init__(self, function: Callable[[int], None]):
        super().__init__()
        self.function = function

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Calls it."""
        self.function(epoch + 1)


def show_progress(line: str) -> None:
    """Prints a line to standard error; standard output is for results."""
    print(line, file=sys.stderr, flush=True)
