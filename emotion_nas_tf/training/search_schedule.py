"""What changes from epoch to epoch of a search, and from step to step."""

import keras

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.training.bilevel import BilevelSearch


class SearchSchedule(keras.callbacks.Callback):
    """Tells relaxation and penalties the time; starts alpha after a warm-up.

    Everything follows from the number of the epoch and of the step, so a
    search that goes on after a kill needs no state of it.

    Args:
      search: its network's relaxation and penalties are told.
      config: epochs in all, and of the warm-up.
      num_steps: steps of an epoch.
    """

    def __init__(
        self, search: BilevelSearch, config: SearchConfig, num_steps: int
    ):
        super().__init__()
        self.search, self.config = search, config
        self.num_steps = num_steps

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Sets what this epoch needs."""
        network, epochs = self.search.network, self.config.epochs
        for each in (network.relaxation, *network.penalties):
            each.begin_epoch(epoch, epochs)
        moves = epoch >= self.config.architecture_warm_up_epochs
        if self.search.moves_architecture != moves:
            self.search.moves_architecture = moves
            # It is read when the step is traced.
            self.search.make_train_function(force=True)
        self._first_step = epoch * self.num_steps

    def on_train_batch_begin(
        self, batch: int, logs: dict | None = None
    ) -> None:
        """Sets what this step needs."""
        self.search.network.relaxation.begin_step(self._first_step + batch)
