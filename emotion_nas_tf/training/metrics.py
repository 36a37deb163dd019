"""Metrics of a classifier, from its confusion matrix. Pure NumPy.

    truth \\ predicted   angry  sad
    angry                   3    1     recall 3/4
    sad                     0    2     recall 2/2     UA 7/8, WA 5/6

The paper's figure of merit is the unweighted accuracy, UA (section 4.1): every
emotion counts alike, however rare it is.
"""

from collections.abc import Sequence

import numpy as np


def confusion_matrix(
    labels: Sequence[int], predictions: Sequence[int], num_classes: int
) -> np.ndarray:
    """Counts every pair of truth and prediction.

    Args:
      labels: (n,) the true classes.
      predictions: (n,) the predicted classes.
      num_classes: K; every class is in 0 .. K - 1.

    Returns:
      (K, K) int64; rows are the truth, columns the predictions.

    Raises:
      ValueError: lengths that differ, or a class outside 0 .. K - 1.
    """
    labels = np.asarray(labels, np.int64)
    predictions = np.asarray(predictions, np.int64)
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError(
            "labels and predictions must be two vectors of one length. "
            f"Received: shapes {labels.shape} and {predictions.shape}"
        )
    both = np.concatenate([labels, predictions])
    if both.size and not (both.min() >= 0 and both.max() < num_classes):
        raise ValueError(
            f"classes must lie in 0 .. {num_classes - 1}. Received: "
            f"{both.min()} .. {both.max()}"
        )
    pairs = np.bincount(
        labels * num_classes + predictions, minlength=num_classes**2
    )
    return pairs.reshape(num_classes, num_classes).astype(np.int64)


def recalls(matrix: np.ndarray) -> np.ndarray:
    """(K,) recall of each class; NaN for a class absent from the truth."""
    return _ratio(np.diag(matrix), np.sum(matrix, axis=1))


def unweighted_accuracy(matrix: np.ndarray) -> float:
    """UA: the mean recall of the classes that occur in the truth.

    A class without a single true example has no recall and is left out, so UA
    stays a number when a speaker never shows an emotion; `recalls` says which.
    NaN when there is no example at all.
    """
    present = np.sum(matrix, axis=1) > 0
    return _mean(recalls(matrix)[present])


def weighted_accuracy(matrix: np.ndarray) -> float:
    """WA: the share of examples that are right; NaN without examples."""
    return float(_ratio(np.trace(matrix), np.sum(matrix)))


def macro_f1(matrix: np.ndarray) -> float:
    """Mean F1 of the classes that occur in the truth or the predictions."""
    seen = np.sum(matrix, axis=0) + np.sum(matrix, axis=1)
    return _mean((2 * np.diag(matrix) / np.maximum(seen, 1))[seen > 0])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(
        np.equal(whole, 0), np.nan, part / np.maximum(whole, 1)
    ).astype(float)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
