"""Penalties on alpha, against hand calculations."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.penalties import make_penalties
from emotion_nas_tf.search_space.supernet import SearchNetwork

NORMAL = np.log([[1.0, 3.0], [2.0, 6.0]])
REDUCE = np.log([[1.0, 1.0], [0.5, 1.5]])


def test_none_unless_weighted():
    assert make_penalties(0.0, 0.0) == []
    network = SearchNetwork(num_channels=2)
    assert float(network.architecture_penalty()) == 0


def test_beta_decay_is_the_mean_logsumexp_and_grows_to_its_weight():
    (penalty,) = make_penalties(5.0, 0.0)
    mean = np.log([4.0, 8.0, 2.0, 2.0]).mean()
    for epoch, share in ((0, 0), (1, 1 / 4), (4, 1)):
        penalty.begin_epoch(epoch, 5)
        found = penalty([tf.constant(NORMAL), tf.constant(REDUCE)])
        assert float(found) == pytest.approx(5 * share * mean)
    # A search of one epoch has the full weight.
    penalty.begin_epoch(0, 1)
    logits = tf.constant(NORMAL)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = penalty([logits, tf.constant(REDUCE)])
    # The softmax, over four edges.
    expected = 5 * np.array([[1 / 4, 3 / 4], [1 / 4, 3 / 4]]) / 4
    np.testing.assert_allclose(tape.gradient(value, logits), expected)


def test_zero_one_loss_by_hand():
    (penalty,) = make_penalties(0.0, 10.0)
    # Sigmoids 1/2, 3/4, 2/3, 6/7, 1/2, 1/2, 1/3, 3/5.
    away = np.array([0, 1 / 4, 1 / 6, 5 / 14, 0, 0, -1 / 6, 1 / 10])
    found = penalty([tf.constant(NORMAL), tf.constant(REDUCE)])
    assert float(found) == pytest.approx(-10 * np.mean(away**2))


def test_penalties_of_a_network_add_up_and_reach_both_alphas():
    network = SearchNetwork(num_channels=2, num_nodes=2)
    network.penalties = make_penalties(1.0, 10.0)
    for penalty in network.penalties:
        penalty.begin_epoch(4, 5)
    for alpha in network.architecture_weights:
        alpha.assign(tf.zeros_like(alpha))
    alphas = [alpha.value for alpha in network.architecture_weights]
    with tf.GradientTape() as tape:
        total = network.architecture_penalty()
    assert float(total) == pytest.approx(np.log(8), rel=1e-6)
    for gradient in tape.gradient(total, alphas):
        np.testing.assert_allclose(gradient, 1 / 8 / 10, rtol=1e-5)
