"""Alpha to operation weights, against hand calculations."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.relaxation import make_relaxation
from emotion_nas_tf.search_space.supernet import SearchNetwork

LOGITS = np.log([[1.0, 3.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("softmax", [[1 / 4, 3 / 4], [1 / 2, 1 / 2]]),
        # x / (1 + x): the rows do not add up to one.
        ("sigmoid", [[1 / 2, 3 / 4], [1 / 2, 1 / 2]]),
    ],
)
def test_weights_and_strengths(name, expected):
    relaxation = make_relaxation(name)
    weights = relaxation.weights(tf.constant(LOGITS), 0, training=True)
    np.testing.assert_allclose(weights, expected)
    np.testing.assert_allclose(relaxation.strengths(LOGITS), expected)


def test_sigmoids_of_large_logits_are_finite():
    strengths = make_relaxation("sigmoid").strengths(np.array([-800.0, 800.0]))
    np.testing.assert_array_equal(strengths, [0.0, 1.0])


def test_gumbel_draws_one_operation_in_proportion_to_the_softmax():
    logits = tf.constant(np.repeat(LOGITS[:1], 4000, axis=0), tf.float32)
    weights = make_relaxation("gumbel").weights(logits, 0, training=True)
    np.testing.assert_allclose(np.sort(weights), [[0, 1]] * 4000, atol=1e-6)
    # A standard deviation is .007.
    assert np.mean(weights, axis=0)[1] == pytest.approx(3 / 4, abs=0.03)


def test_gumbel_noise_follows_from_seed_step_and_cell():
    logits = tf.zeros((200, 8))

    def draw(step, cell=0, seed=0):
        relaxation = make_relaxation("gumbel", seed)
        relaxation.begin_step(step)
        return relaxation.weights(logits, cell, training=True).numpy()

    np.testing.assert_array_equal(draw(7), draw(7))
    others = [draw(8), draw(7, cell=1), draw(7, seed=1)]
    # Two draws of one in eight agree on an eighth of the edges.
    for other in others:
        agree = (draw(7) * other).sum(axis=-1).mean()
        assert agree == pytest.approx(1 / 8, abs=0.08)


def test_gumbel_gradient_is_that_of_the_tempered_softmax():
    relaxation = make_relaxation("gumbel", seed=3)
    relaxation.begin_step(5)
    relaxation.begin_epoch(2, 5)
    # Half way from 10 to .1.
    temperature = 5.05
    assert float(relaxation.temperature) == pytest.approx(temperature)
    logits = tf.constant([[0.3, -0.2, 1.0]])
    upstream = np.array([[1.0, 2.0, -1.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        weights = relaxation.weights(logits, 1, training=True)
        result = tf.reduce_sum(weights * upstream)
    uniform = tf.random.stateless_uniform(
        (1, 3), [3, 2 * 5 + 1], minval=np.finfo(np.float32).tiny
    ).numpy()
    noisy = (logits.numpy() - np.log(-np.log(uniform))) / temperature
    soft = np.exp(noisy) / np.exp(noisy).sum()
    # Softmax: J' u = s (u - s . u); log softmax adds a constant to a row.
    expected = soft * (upstream - (soft * upstream).sum()) / temperature
    np.testing.assert_allclose(
        tape.gradient(result, logits), expected, rtol=1e-4
    )
    assert np.argmax(weights) == np.argmax(noisy)


def test_gumbel_cools_from_10_to_a_tenth_and_evaluates_the_most_probable():
    relaxation = make_relaxation("gumbel")
    ends = []
    for epoch in (0, 49):
        relaxation.begin_epoch(epoch, 50)
        ends.append(float(relaxation.temperature))
    np.testing.assert_allclose(ends, [10, 0.1], rtol=1e-6)
    weights = relaxation.weights(tf.constant(LOGITS[:1]), 0)
    np.testing.assert_array_equal(weights, [[0, 1]])
    np.testing.assert_allclose(relaxation.strengths(LOGITS[0]), [1 / 4, 3 / 4])


def test_search_network_ranks_by_its_relaxation():
    """Edges 2, 3, 4 compete; softmax and sigmoid keep others of them."""
    genotypes = {}
    for name in ("softmax", "sigmoid"):
        network = SearchNetwork(num_channels=2, num_nodes=2, relaxation=name)
        logits = np.full((5, 8), -9.0, np.float32)
        logits[:, 4] = 0.0
        # Strong, but so is everything else on this edge.
        logits[4] = 1.0
        network.normal_logits.assign(logits)
        genotypes[name] = network.genotype().normal[2:]
    assert genotypes["softmax"] == (("sep_conv_3x3", 0), ("sep_conv_3x3", 1))
    assert genotypes["sigmoid"] == (("max_pool_3x3", 2), ("sep_conv_3x3", 0))
