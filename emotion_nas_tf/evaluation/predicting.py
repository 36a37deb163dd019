"""From a network and its inputs to probabilities."""

from collections.abc import Sequence

import keras
import numpy as np
from scipy.special import softmax

from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.records import RecordsManifest

# Utterances at a time.
ROWS = 32


def predict_probabilities(
    model: keras.Model, features: np.ndarray
) -> np.ndarray:
    """(n, 140, 140, 1) features to (n, K) probabilities.

    Raises:
      WorkError: when the network's answer is not finite.
    """
    # Not `model.predict`: a test is a few batches, and tracing a search network
    # takes longer than running it.
    return probabilities_of(
        np.concatenate(
            [
                model(features[start : start + ROWS], training=False)
                for start in range(0, len(features), ROWS)
            ]
        )
    )


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """(n, K) logits to float64 probabilities.

    Raises:
      WorkError: when one is not finite.
    """
    if not np.isfinite(logits).all():
        raise WorkError(
            "The network's answer holds NaN or infinity: its training "
            "diverged. Train it again with a lower learning rate."
        )
    return softmax(logits.astype(np.float64), axis=1)


def check_classes(
    manifest: RecordsManifest, label_names: Sequence[str], owner: str
) -> None:
    """Refuses records of other classes than a system's.

    Args:
      manifest: the records'.
      label_names: the system's.
      owner: the system, in words.

    Raises:
      UsageError: when they differ.
    """
    if tuple(label_names) != tuple(manifest.label_names):
        raise UsageError(
            f"{owner[0].upper()}{owner[1:]} knows the classes "
            f"{', '.join(label_names)}, the records have "
            f"{', '.join(manifest.label_names)}. Use the records it was "
            "trained with."
        )
