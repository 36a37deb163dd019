"""What alpha does during a search, as a few numbers. NumPy only."""

import numpy as np


def alpha_entropy(logits: np.ndarray) -> float:
    """Mean entropy of an edge's operation weights, in nats.

    Args:
      logits: (..., edges, 8) before the softmax.

    Returns:
      log(8) = 2.079 when all operations weigh the same, 0 when one has all.
    """
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights = powers / powers.sum(axis=-1, keepdims=True)
    # The tiny summand keeps 0 * log 0 at 0.
    return float(-(weights * np.log(weights + 1e-300)).sum(axis=-1).mean())


def alpha_movement(logits: np.ndarray, initial: np.ndarray) -> float:
    """Mean absolute change of a logit since the start of the search."""
    return float(np.abs(np.asarray(logits) - np.asarray(initial)).mean())
