"""How strong each operation of an edge is: what a derivation ranks. NumPy."""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Shares of the last axis (Eq. 1), in float64."""
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Every logit for itself, between 0 and 1, in float64."""
    # tanh does not overflow.
    return 0.5 + 0.5 * np.tanh(np.asarray(logits, np.float64) / 2)
