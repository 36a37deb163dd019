"""The loss and its class weights, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.training.losses import (
    class_weights,
    weighted_cross_entropy,
)

LABELS = np.array([0, 0, 0, 1, 1, 3])


def test_every_class_weighs_the_same_and_the_mean_utterance_1():
    weights = class_weights("weights", LABELS, 4)
    # n / (K n_c); nobody shows class 2.
    assert weights == [6 / 12, 6 / 8, 0.0, 6 / 4]
    total = np.take(weights, LABELS)
    assert total.sum() == pytest.approx(6 * 3 / 4)
    for label in (0, 1, 3):
        assert total[label == LABELS].sum() == pytest.approx(6 / 4)


@pytest.mark.parametrize("balance", ["none", "sampling"])
def test_otherwise_all_utterances_weigh_1(balance):
    assert class_weights(balance, LABELS, 4) == [1.0] * 4


def test_weighted_cross_entropy():
    logits = tf.constant([[0.0, 0.0], [np.log(3.0), 0.0]], tf.float32)
    loss = weighted_cross_entropy(
        tf.constant([0, 1]), logits, tf.constant([2.0, 0.5])
    )
    # Probabilities of the truth: 1/2 and 1/4.
    expected = (2 * np.log(2) + 0.5 * np.log(4)) / 2
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_label_smoothing_and_class_weights():
    # Probabilities 1/2, 1/4, 1/4: the target is .9 + .1/3 and twice .1/3. The
    # factor of the true class weighs all three terms.
    logits = tf.constant([[np.log(2.0), 0.0, 0.0]], tf.float32)
    for label, factor in ((0, 2.0), (1, 0.5)):
        loss = weighted_cross_entropy(
            tf.constant([label]), logits, tf.constant([2.0, 0.5, 1.0]), 0.1
        )
        target = np.full(3, 0.1 / 3)
        target[label] += 0.9
        expected = -factor * target @ np.log([1 / 2, 1 / 4, 1 / 4])
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
