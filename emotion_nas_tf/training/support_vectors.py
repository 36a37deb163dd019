"""Training of the linear support vector machine, by scikit-learn."""

from collections.abc import Sequence

import numpy as np

from emotion_nas_tf.networks.baselines.linear import LinearMachine
from emotion_nas_tf.training.metrics import (
    confusion_matrix,
    unweighted_accuracy,
)

# How much an utterance on the wrong side costs.
COSTS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def fit_linear_machine(
    features: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    cost: float,
) -> LinearMachine:
    """Fits one hyperplane a pair of classes (Vapnik 1995; LIBSVM's C-SVC).

    Every class weighs the same: the cost of an utterance is `cost` times
    n / (K * n_c).

    Args:
      features: (n, d); missing values are NaN.
      labels: (n,) classes.
      num_classes: K; every class must occur.
      cost: C.
    """
    # It takes a second to import, and only this comparator needs it.
    from sklearn.svm import SVC

    known = np.where(np.isfinite(features), features, np.nan).astype(float)
    # Of a column that nobody has: any number will do, it becomes 0.
    known[:, np.isnan(known).all(axis=0)] = 0.0
    scale = np.nanstd(known, axis=0)
    untrained = LinearMachine(
        mean=np.nanmean(known, axis=0),
        scale=np.where(scale > 0, scale, 1.0),
        weights=np.zeros((0, known.shape[1])),
        bias=np.zeros(0),
        num_classes=num_classes,
    )
    svm = SVC(kernel="linear", C=cost, class_weight="balanced")
    svm.fit(untrained.standardize(features), labels)
    sign = 1.0
    if num_classes == 2:
        # Of two classes scikit-learn turns the sign: positive is the second.
        sign = -1.0
    return LinearMachine(
        mean=untrained.mean,
        scale=untrained.scale,
        weights=sign * svm.coef_,
        bias=sign * svm.intercept_,
        num_classes=num_classes,
    )


def choose_linear_machine(
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    num_classes: int,
    costs: Sequence[float] = COSTS,
) -> tuple[LinearMachine, float, float]:
    """Fits the training speakers; the validation speaker chooses the cost.

    Args:
      training: (n, d) features and (n,) labels.
      validation: likewise.
      num_classes: K.
      costs: to choose from, ascending; of equals the lowest is taken.

    Returns:
      The machine, its cost and its validation UA.
    """
    features, labels = validation
    best = None
    for cost in costs:
        machine = fit_linear_machine(*training, num_classes, cost)
        answers = machine.scores(features).argmax(axis=1)
        ua = unweighted_accuracy(confusion_matrix(labels, answers, num_classes))
        if best is None or ua > best[2]:
            best = (machine, cost, ua)
    return best
