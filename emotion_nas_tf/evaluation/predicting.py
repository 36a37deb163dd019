"""From a network and its inputs to probabilities."""

from collections.abc import Sequence
from typing import Protocol

import keras
import numpy as np
from scipy.special import softmax

from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.records import RecordsManifest, check_digest

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


class _Info(Protocol):
    """What every system's `network.json` says of its records."""

    label_names: Sequence[str]
    records: str


def check_trained_on(
    manifest: RecordsManifest, info: _Info, owner: str
) -> None:
    """Refuses other records than those a system was trained on.

    In others of the same front end, whoever validates here may have trained
    there, and a speaker's name may be somebody else's.

    Args:
      manifest: the records'.
      info: of the system.
      owner: the system, in words.

    Raises:
      UsageError: when classes or digests differ.
    """
    if tuple(info.label_names) != tuple(manifest.label_names):
        raise UsageError(
            f"{owner[0].upper()}{owner[1:]} knows the classes "
            f"{', '.join(info.label_names)}, the records have "
            f"{', '.join(manifest.label_names)}. Use the records it was "
            "trained with."
        )
    check_digest(manifest, info.records, owner)
