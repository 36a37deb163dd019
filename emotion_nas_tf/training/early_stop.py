"""When a search stops before its last epoch. NumPy only."""

from pathlib import Path

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.search_space.genotype import genotype_of_strengths
from emotion_nas_tf.training.alpha_record import load_alphas
from emotion_nas_tf.training.architecture_watch import (
    operation_counts,
    ranks_operations,
)


def alpha_steps(epochs: int, num_steps: int, config: SearchConfig) -> int:
    """Steps of the first `epochs` epochs that moved alpha."""
    return num_steps * max(0, epochs - config.architecture_warm_up_epochs)


def reason_to_stop(
    folder: Path, epochs: int, num_steps: int, config: SearchConfig
) -> str:
    """Why a search is over after an epoch; empty when it is not.

    DARTS+ (Liang et al. 2019), criterion 1: two skip connections or more in
    the normal cell. As in their algorithm, the cells are those of the epoch
    that it stops after. Counted are the cells of the published derivation
    without a cap. Alphas that chance alone could have moved do not count:
    without this, every third search would stop at its initial noise.

    Args:
      folder: of `alphas.npz`.
      epochs: completed.
      num_steps: steps of an epoch.
      config: of the search.
    """
    limit = config.early_stop_skips
    if not limit or not epochs:
        return ""
    record = load_alphas(folder)
    if not ranks_operations(
        record.alphas[epochs - 1],
        record.initial,
        config.architecture_learning_rate,
        alpha_steps(epochs, num_steps, config),
    ):
        return ""
    genotype = genotype_of_strengths(*record.strengths[epochs - 1])
    skips = operation_counts(genotype)["normal"]["skip_connect"]
    if skips < limit:
        return ""
    return (
        f"The search was stopped after epoch {epochs} of {config.epochs}: the "
        f"normal cell held {skips} skip connections "
        f"(--early_stop_skips={limit})."
    )
