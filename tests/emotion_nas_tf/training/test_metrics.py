"""Metrics, against hand calculation and scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from emotion_nas_tf.training import metrics


def test_confusion_matrix_by_hand():
    matrix = metrics.confusion_matrix(
        [0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1], num_classes=2
    )
    assert matrix.tolist() == [[3, 1], [0, 2]]
    assert metrics.recalls(matrix).tolist() == [0.75, 1.0]
    assert metrics.unweighted_accuracy(matrix) == 7 / 8
    assert metrics.weighted_accuracy(matrix) == pytest.approx(5 / 6)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, 60)
    predictions = np.where(
        generator.random(60) < 0.6, labels, generator.integers(0, 4, 60)
    )
    matrix = metrics.confusion_matrix(labels, predictions, 4)
    np.testing.assert_array_equal(
        matrix, oracle.confusion_matrix(labels, predictions)
    )
    assert metrics.unweighted_accuracy(matrix) == pytest.approx(
        oracle.balanced_accuracy_score(labels, predictions)
    )
    assert metrics.weighted_accuracy(matrix) == pytest.approx(
        oracle.accuracy_score(labels, predictions)
    )
    assert metrics.macro_f1(matrix) == pytest.approx(
        oracle.f1_score(labels, predictions, average="macro")
    )
    np.testing.assert_allclose(
        metrics.recalls(matrix),
        oracle.recall_score(labels, predictions, average=None),
    )


def test_a_class_without_examples_is_left_out():
    matrix = metrics.confusion_matrix([0, 0, 1], [0, 1, 1], num_classes=3)
    assert metrics.unweighted_accuracy(matrix) == 0.75
    assert math.isnan(metrics.recalls(matrix)[2])
    # Class 2 is in neither: F1 is the mean of 2/3 and 2/3.
    assert metrics.macro_f1(matrix) == pytest.approx(2 / 3)


def test_nothing_to_count_is_nan_and_not_a_crash():
    matrix = metrics.confusion_matrix([], [], num_classes=2)
    assert math.isnan(metrics.unweighted_accuracy(matrix))
    assert math.isnan(metrics.weighted_accuracy(matrix))
    assert math.isnan(metrics.macro_f1(matrix))


@pytest.mark.parametrize(
    ("labels", "predictions"), [([0, 1], [0]), ([0], [2]), ([-1], [0])]
)
def test_refuses_what_is_not_a_class(labels, predictions):
    with pytest.raises(ValueError, match="Received"):
        metrics.confusion_matrix(labels, predictions, num_classes=2)
