"""The dominant eigenvalue, where the Hessian is known."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.training.alpha_hessian import (
    AlphaHessian,
    dominant_eigenvalue,
)


@pytest.mark.parametrize(
    ("diagonal", "expected"),
    [((5.0, 2.0, -1.0), 5.0), ((-4.0, 2.0, 1.0), -4.0)],
)
def test_eigenvalue_of_a_quadratic(diagonal, expected):
    """f = x' A x / 2 with A = Q diag Q': the gradient at x is A x."""
    generator = np.random.default_rng(1)
    size = len(diagonal)
    rotation, _ = np.linalg.qr(generator.normal(size=(size, size)))
    matrix = rotation @ np.diag(diagonal) @ rotation.T
    offset = generator.normal(size=size)
    found = dominant_eigenvalue(lambda x: matrix @ x + offset, size)
    assert found == pytest.approx(expected, rel=0.02)


def test_eigenvalue_of_a_plane_is_0():
    assert dominant_eigenvalue(lambda x: np.ones(3), 3) == 0


class TwoLogits(keras.Model):
    """Logits (a_0 + 2 a_1, 0) whatever the input: two alphas in two tensors."""

    def __init__(self):
        super().__init__()
        self.architecture_weights = [
            self.add_weight(name=name, shape=(1,), initializer="ones")
            for name in "ab"
        ]

    def call(self, x, training=False):
        first, second = (alpha.value for alpha in self.architecture_weights)
        logit = tf.repeat(first + 2 * second, tf.shape(x)[0])
        return tf.stack([logit, tf.zeros_like(logit)], -1)


def test_eigenvalue_of_a_network_by_hand_and_nothing_moves():
    network = TwoLogits()
    split = SimpleNamespace(
        features=np.zeros((5, 1), np.float32), labels=np.zeros(5, np.int32)
    )
    hessian = AlphaHessian(network, split, 3, tf.constant([2.0, 1.0]))
    # Loss 2 log(1 + exp(-z)), z = a + 2 b = 3: d2 / dz2 = 2 s (1 - s), times
    # |(1, 2)|^2 = 5.
    s = 1 / (1 + np.exp(-3.0))
    assert hessian() == pytest.approx(5 * 2 * s * (1 - s), rel=1e-3)
    for alpha in network.architecture_weights:
        np.testing.assert_array_equal(alpha.numpy(), [1.0])
