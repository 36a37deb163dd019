"""The watch over a search: its columns while it runs, its sentences after."""

from pathlib import Path

import numpy as np

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training import alpha_record
from emotion_nas_tf.training.alpha_hessian import AlphaHessian
from emotion_nas_tf.training.architecture_verdict import (
    WatchNumbers,
    save_watch,
    to_text,
)
from emotion_nas_tf.training.architecture_watch import (
    alpha_entropy,
    alpha_movement,
    alpha_spread,
    epoch_columns,
    none_strongest,
    operation_counts,
    spread_by_chance,
    strongest_weight,
)
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.early_stop import alpha_steps, reason_to_stop
from emotion_nas_tf.training.summaries import write_end
from tfrecords_builder.history import HISTORY_NAME, read_history


class EpochWatch:
    """The watch's columns of `history.csv`, kept for TensorBoard too.

    Args:
      model: the search.
      initial: (2, edges, 8) alphas before it.
      architecture: the utterances that move alpha.
      config: of the search.
    """

    def __init__(
        self,
        model: BilevelSearch,
        initial: np.ndarray,
        architecture: Split,
        config: SearchConfig,
    ):
        self.network, self.initial = model.network, initial
        self.columns: dict[str, float] = {}
        self.hessian = None
        if config.watch_hessian:
            self.hessian = AlphaHessian(
                model.network,
                architecture,
                config.batch_size,
                model.class_weights,
            )

    def measure(self) -> dict[str, float]:
        """The columns of the epoch that has just ended."""
        self.columns = epoch_columns(
            self.network.logits(),
            self.initial,
            self.network.strengths(),
            self.network.genotype(),
        )
        if self.hessian is not None:
            self.columns["alpha_hessian"] = self.hessian()
        return self.columns


def watch_numbers(
    folder: Path,
    network: SearchNetwork,
    config: SearchConfig,
    num_steps: int,
    inherited_ua: float | None,
) -> WatchNumbers:
    """What the files of a search that has ended say of it.

    Args:
      folder: of `alphas.npz` and `history.csv`.
      network: knows how cells are derived.
      config: of the search.
      num_steps: of an epoch.
      inherited_ua: see `WatchNumbers`.
    """
    alphas = alpha_record.load_alphas(folder)
    rows = read_history(folder / HISTORY_NAME)
    genotypes = [network.derive(each) for each in alphas.strengths]
    steps = alpha_steps(len(rows), num_steps, config)
    rate = config.architecture_learning_rate
    return WatchNumbers(
        epochs=len(rows),
        alpha_steps=steps,
        alpha_learning_rate=rate,
        spread=alpha_spread(alphas.alphas[-1]),
        chance_spread=spread_by_chance(alphas.initial, rate, steps),
        strongest_weight=strongest_weight(alphas.strengths[-1]),
        counts=operation_counts(genotypes[-1]),
        none_strongest=none_strongest(alphas.strengths[-1]),
        stable_epochs=alpha_record.stable_epochs(genotypes),
        search_ua=rows[-1]["validation_ua"],
        inherited_ua=inherited_ua,
        eigenvalues=[
            row["alpha_hessian"] for row in rows if "alpha_hessian" in row
        ],
        stopped=reason_to_stop(folder, len(rows), num_steps, config)
        if len(rows) < config.epochs
        else "",
        alpha_movement=alpha_movement(alphas.alphas[-1], alphas.initial),
        alpha_entropy=alpha_entropy(alphas.strengths[-1]),
    )


def announce(title: str, folder: Path, numbers: WatchNumbers) -> None:
    """Prints, writes and shows what the search is worth."""
    text = to_text(save_watch(folder, numbers))
    print(f"{title}: what the watch says (! gives concern)\n{text}", flush=True)
    gap = numbers.derivation_gap
    scalars = {} if gap is None else {"watch/derivation_gap": gap}
    write_end(folder, numbers.epochs, "watch", text, scalars)
