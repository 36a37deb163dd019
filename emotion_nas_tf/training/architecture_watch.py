"""What alpha does during a search, as a few numbers. NumPy only.

A strength is what an operation of an edge is ranked by when the cell is
derived: its weight in the mixture, without any sampling noise.
"""

import numpy as np

from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from emotion_nas_tf.search_space.genotype import Genotype

_NONE = OPERATION_NAMES.index("none")


def alpha_entropy(strengths: np.ndarray) -> float:
    """Mean entropy of an edge's operation weights, in nats.

    Args:
      strengths: (..., edges, 8), not negative; rows are scaled to a sum of 1.

    Returns:
      log(8) = 2.079 when all operations weigh the same, 0 when one has all.
    """
    weights = _shares(strengths)
    # The tiny summand keeps 0 * log 0 at 0.
    return float(-(weights * np.log(weights + 1e-300)).sum(axis=-1).mean())


def alpha_movement(logits: np.ndarray, initial: np.ndarray) -> float:
    """Mean absolute change of a logit since the start of the search."""
    return float(np.abs(np.asarray(logits) - np.asarray(initial)).mean())


def alpha_spread(logits: np.ndarray) -> float:
    """How far the operations of an edge lie apart: what their rank rests on.

    Args:
      logits: (..., edges, 8).

    Returns:
      Root mean square, over the edges, of the standard deviation of the
      logits that can be chosen (all but `none`).
    """
    logits = np.delete(np.asarray(logits, np.float64), _NONE, axis=-1)
    return float(np.sqrt(logits.var(axis=-1, ddof=1).mean()))


def spread_by_chance(
    initial: np.ndarray, learning_rate: float, num_steps: int
) -> float:
    """The spread of alphas that nothing but chance has moved.

    Adam moves a logit by about its rate a step whatever the gradient's size,
    so gradients that are noise make it a random walk: rate * sqrt(steps),
    on top of the initial noise.
    """
    return float(
        np.hypot(alpha_spread(initial), learning_rate * num_steps**0.5)
    )


def ranks_operations(
    logits: np.ndarray,
    initial: np.ndarray,
    learning_rate: float,
    num_steps: int,
) -> bool:
    """Whether the operations lie at least twice as far apart as by chance.

    Args:
      logits: (2, edges, 8) now.
      initial: the same before the search.
      learning_rate: of Adam, for alpha.
      num_steps: steps that moved alpha.
    """
    chance = spread_by_chance(initial, learning_rate, num_steps)
    return alpha_spread(logits) >= 2 * chance


def strongest_weight(strengths: np.ndarray) -> float:
    """Mean share of an edge's strongest operation other than `none`."""
    weights = _shares(strengths)
    return float(np.delete(weights, _NONE, axis=-1).max(axis=-1).mean())


def none_strongest(strengths: np.ndarray) -> float:
    """Share of the edges on which `none` has the largest weight."""
    return float((np.argmax(strengths, axis=-1) == _NONE).mean())


def mean_weights(strengths: np.ndarray) -> dict[str, float]:
    """Mean share of every operation over the edges."""
    weights = _shares(strengths)
    means = weights.reshape(-1, weights.shape[-1]).mean(axis=0)
    return dict(zip(OPERATION_NAMES, means.tolist(), strict=True))


def operation_counts(genotype: Genotype) -> dict[str, dict[str, int]]:
    """Edges of either derived cell that hold each operation."""
    return {
        cell: {
            name: sum(operation == name for operation, _ in edges)
            for name in OPERATION_NAMES[1:]
        }
        for cell, edges in (
            ("normal", genotype.normal),
            ("reduction", genotype.reduce),
        )
    }


def epoch_columns(
    logits: np.ndarray,
    initial: np.ndarray,
    strengths: np.ndarray,
    genotype: Genotype,
) -> dict[str, float]:
    """An epoch's columns of `history.csv`.

    Args:
      logits: (2, edges, 8) now; normal cell first.
      initial: the same before the search.
      strengths: the same, as ranked.
      genotype: the cells that they stand for.
    """
    columns = {
        "alpha_entropy": alpha_entropy(strengths),
        "alpha_movement": alpha_movement(logits, initial),
        "alpha_spread": alpha_spread(logits),
    }
    for index, (cell, counts) in enumerate(operation_counts(genotype).items()):
        weights = mean_weights(strengths[index])
        columns[f"{cell}_skip_weight"] = weights["skip_connect"]
        columns[f"{cell}_none_weight"] = weights["none"]
        columns[f"{cell}_none_strongest"] = none_strongest(strengths[index])
        for name, count in counts.items():
            columns[f"{cell}_{name}"] = count
    return columns


def _shares(strengths: np.ndarray) -> np.ndarray:
    """Every operation's share of its edge: sigmoids do not add up to one."""
    strengths = np.asarray(strengths, np.float64)
    return strengths / strengths.sum(axis=-1, keepdims=True)
