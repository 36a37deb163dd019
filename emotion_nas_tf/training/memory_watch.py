"""Memory of a search: estimated before it starts, measured after an epoch."""

import keras

from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.networks.memory import (
    available_memory,
    peak_memory,
    search_memory,
)
from emotion_nas_tf.training.callbacks import show_progress

_GIGABYTE = 1e9


class MemoryWatch(keras.callbacks.Callback):
    """Says what the search will take, and after its first epoch what it took.

    Args:
      title: begins each line.
      network: the search network.
      config: batch size, micro-batches, recomputation.
      shape: frequencies and frames of the features.
    """

    def __init__(
        self,
        title: str,
        network: NetworkConfig,
        config: SearchConfig,
        shape: tuple[int, int],
    ):
        super().__init__()
        self.title = title
        self.parts = config.micro_batches
        # What may still be asked for.
        self.recompute = "" if config.recompute else "--recompute or "
        part = config.batch_size // config.micro_batches
        self.estimate = search_memory(
            network, part, *shape, recompute=config.recompute
        )
        self._measured = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Prints the estimate, and what to do when it is more than is free."""
        free = available_memory()
        line = (
            f"{self.title}: needs about {_gigabytes(self.estimate)} of memory"
        )
        if free is not None:
            line += f", {_gigabytes(free)} are free"
            if self.estimate > free:
                line += (
                    f"; {self.recompute}--micro_batches={2 * self.parts} needs "
                    "less, and so do a smaller --batch_size and fewer "
                    "--num_channels"
                )
        show_progress(f"{line}.")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints the peak, once."""
        if not self._measured:
            self._measured = True
            show_progress(
                f"{self.title}: {_gigabytes(peak_memory())} of memory at the "
                f"peak, {_gigabytes(self.estimate)} estimated."
            )


def _gigabytes(count: float) -> str:
    return f"{count / _GIGABYTE:.1f} GB"
