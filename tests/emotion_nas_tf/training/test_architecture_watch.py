"""Numbers that say what alpha does."""

import math

import numpy as np
import pytest

from emotion_nas_tf.training.architecture_watch import (
    alpha_entropy,
    alpha_movement,
)


def test_entropy_of_equal_weights_is_log_8():
    assert alpha_entropy(np.zeros((2, 14, 8))) == pytest.approx(math.log(8))


def test_entropy_of_one_operation_is_0():
    logits = np.zeros((2, 8))
    logits[:, 3] = 1000.0
    assert alpha_entropy(logits) == pytest.approx(0, abs=1e-12)


def test_entropy_is_the_mean_over_edges():
    logits = np.zeros((2, 8))
    # Two operations share the first edge; all eight the second.
    logits[0, 2:] = -1000.0
    expected = (math.log(2) + math.log(8)) / 2
    assert alpha_entropy(logits) == pytest.approx(expected)


def test_movement_is_the_mean_absolute_change():
    initial = np.ones((1, 2, 2))
    now = np.array([[[1.5, 0.5], [1.0, 3.0]]])
    assert alpha_movement(now, initial) == 0.75
    assert alpha_movement(initial, initial) == 0
