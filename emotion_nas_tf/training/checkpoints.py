"""Going on after a kill: the state after some steps.

    checkpoints/ckpt-120.index  checkpoints/ckpt-120.data-00000-of-00001

holds all variables after 120 steps of the whole training. At the end of an
epoch it is written after everything else of that epoch, so what the other
files say of later epochs is simply made again.
"""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.training.callbacks import DivergedError, show_progress
from emotion_nas_tf.training.failures import reason
from tfrecords_builder.errors import UsageError, WorkError

# The last one, and the one before in case the last is damaged.
_KEPT = 2
_PREFIX = "ckpt-"


class Checkpoints:
    """Saves and restores variables by steps completed.

    TensorFlow's own manager lists its checkpoints in one more file; when that
    is damaged, it begins anew without a word. Here the folder is the list.

    Args:
      folder: made when it is not there.
      **variables: of models and optimisers, in their order, by name. They
        are named one by one, because TensorFlow does not follow a Keras
        model into lists of layers.
    """

    def __init__(self, folder: Path, **variables: Sequence[keras.Variable]):
        self.folder = folder
        self._variables = [v for group in variables.values() for v in group]
        self._checkpoint = tf.train.Checkpoint(
            **{
                name: [variable.value for variable in group]
                for name, group in variables.items()
            }
        )
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def steps(self) -> list[int]:
        """Steps completed of the checkpoints that are there, ascending."""
        names = [path.stem for path in self.folder.glob(f"{_PREFIX}*.index")]
        numbers = [name.removeprefix(_PREFIX) for name in names]
        return sorted(int(text) for text in numbers if text.isdigit())

    def restore(self) -> int:
        """Restores the newest readable state; returns its steps completed.

        0, and nothing is changed, when there is none. A damaged one is named
        and the one before is taken.

        Raises:
          UsageError: when checkpoints are there and none can be read.
        """
        steps = self.steps
        for step in reversed(steps):
            path = self._path(step)
            try:
                status = self._checkpoint.read(path)
                status.assert_existing_objects_matched()
            # A cut file is an IndexError: TensorFlow read fewer bytes.
            except (tf.errors.OpError, IndexError, AssertionError) as error:
                show_progress(
                    f"The checkpoint {path} cannot be read "
                    f"({reason(error)}); taking the one before."
                )
                continue
            # The damaged ones would count among those kept.
            for damaged in steps[steps.index(step) + 1 :]:
                self._remove(damaged)
            return step
        if steps:
            raise UsageError(
                f"No checkpoint in {self.folder} can be read. Remove the "
                f"folder {self.folder.parent} to start from the beginning."
            )
        return 0

    def save(self, steps_completed: int) -> None:
        """Writes the state, in full or not at all.

        Raises:
          DivergedError: when a number of it is not finite: a state inside an
            epoch comes before the loss that would show it.
          WorkError: when the disk is full or refuses.
        """
        self._check_finite(steps_completed)
        # What a kill left of it.
        self._remove(steps_completed)
        try:
            self._checkpoint.write(self._path(steps_completed))
            # On the disk before an older one goes.
            for part in self._files(steps_completed):
                with part.open("rb+") as file:
                    os.fsync(file.fileno())
        except (tf.errors.OpError, OSError) as error:
            self._remove(steps_completed)
            raise WorkError(
                f"The state after step {steps_completed} cannot be written "
                f"to {self.folder} ({reason(error)}). Is the disk full? "
                f"{self._kept} Free some space and run the same command again."
            ) from error
        kept = self.steps[-_KEPT:]
        for path in self.folder.glob(f"{_PREFIX}*"):
            step = path.name.removeprefix(_PREFIX).split(".")[0]
            if not step.isdigit() or int(step) not in kept:
                _remove(path)

    def _check_finite(self, steps_completed: int) -> None:
        for variable in self._variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise DivergedError(
                    f"{variable.path} is no longer a finite number after step "
                    f"{steps_completed}. {self._kept} Lower the learning "
                    "rate and use another --run_dir."
                )

    @property
    def _kept(self) -> str:
        steps = self.steps
        if not steps:
            return "No earlier state was kept."
        return f"The state after step {steps[-1]} is kept in {self.folder}."

    def _path(self, step: int) -> str:
        return str(self.folder / f"{_PREFIX}{step}")

    def _files(self, step: int) -> Iterator[Path]:
        yield from self.folder.glob(f"{_PREFIX}{step}.*")

    def _remove(self, step: int) -> None:
        for path in self._files(step):
            _remove(path)
        # TensorFlow's own, where a kill or a full disk stopped it.
        for path in self.folder.glob(f"{_PREFIX}{step}_temp*"):
            _remove(path)


class SaveRegularly(keras.callbacks.Callback):
    """Saves the state at the end of every epoch, and inside long ones.

    Args:
      checkpoints: where to.
      num_steps: steps of an epoch.
      minutes: greatest time between two; 0 saves after every step.
    """

    def __init__(
        self, checkpoints: Checkpoints, num_steps: int, minutes: float
    ):
        super().__init__()
        self.checkpoints, self.num_steps = checkpoints, num_steps
        self.seconds = 60 * minutes

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._last = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes which epoch it is."""
        self._before = epoch * self.num_steps

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Saves when the last time is long ago."""
        late = time.monotonic() - self._last >= self.seconds
        # After its last step an epoch goes on: with the validation.
        if late and batch + 1 < self.num_steps:
            self._save(batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Saves."""
        self._save(self.num_steps)

    def _save(self, steps: int) -> None:
        self.checkpoints.save(self._before + steps)
        self._last = time.monotonic()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
