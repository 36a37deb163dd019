"""Going on after a kill: the state at the end of each epoch.

An epoch's state is written after everything else of that epoch, so what the
other files say of later epochs is simply made again.
"""

from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from tfrecords_builder.errors import UsageError, WorkError

# The last one, and the one before in case the last is damaged.
_KEPT = 2


class Checkpoints:
    """Saves and restores variables by epochs completed.

    Args:
      folder: made when it is not there.
      **variables: of models and optimisers, in their order, by name. They
        are named one by one, because TensorFlow does not follow a Keras
        model into lists of layers.
    """

    def __init__(self, folder: Path, **variables: Sequence[keras.Variable]):
        self.folder = folder
        checkpoint = tf.train.Checkpoint(
            **{
                name: [variable.value for variable in group]
                for name, group in variables.items()
            }
        )
        self._manager = tf.train.CheckpointManager(
            checkpoint, str(folder), max_to_keep=_KEPT
        )

    def restore(self) -> int:
        """Restores the newest readable state; returns its epochs completed.

        0, and nothing is changed, when there is none. A damaged one is named
        and the one before is taken.

        Raises:
          UsageError: when checkpoints are there and none can be read.
        """
        paths = list(reversed(self._manager.checkpoints))
        for path in paths:
            try:
                status = self._manager.checkpoint.read(path)
                status.assert_existing_objects_matched()
            # A cut file is an IndexError: TensorFlow read fewer bytes.
            except (tf.errors.OpError, IndexError, AssertionError) as error:
                print(
                    f"The checkpoint {path} cannot be read "
                    f"({str(error).splitlines()[0]}); taking the one before.",
                    flush=True,
                )
                continue
            return int(path.rsplit("-", 1)[1])
        if paths:
            raise UsageError(
                f"No checkpoint in {self.folder} can be read. Remove the "
                "folder to start from the beginning."
            )
        return 0

    def save(self, epochs_completed: int) -> None:
        """Writes the state, in full or not at all.

        Raises:
          WorkError: when the disk is full or refuses.
        """
        try:
            self._manager.save(checkpoint_number=epochs_completed)
        except tf.errors.OpError as error:
            raise WorkError(
                f"The state after epoch {epochs_completed} cannot be written "
                f"to {self.folder} ({error.message}). Is the disk full? The "
                "state of the epoch before is kept: free some space and run "
                "the same command again."
            ) from error
