"""Partial channels and edge normalisation, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.cell import SearchCell
from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from emotion_nas_tf.search_space.partial_channels import (
    PartialChannels,
    edge_shares,
    edge_strengths,
)
from emotion_nas_tf.search_space.supernet import SearchNetwork

SKIP = OPERATION_NAMES.index("skip_connect")


def test_skip_connections_leave_the_channels_shuffled():
    """At stride 1 a skip connection is the identity: all channels survive."""
    layer = PartialChannels(channels=6, stride=1, num_edges=2, partition=3)
    x = np.arange(2 * 3 * 3 * 6, dtype=np.float32).reshape(2, 3, 3, 6)
    weights = np.zeros((2, 8), np.float32)
    weights[0, SKIP], weights[1, SKIP] = 1.0, 0.5
    y = layer(tf.constant(x), tf.constant(weights)).numpy()
    # Channels 0, 1 are mixed. Three groups of two: 0 2 4, then 1 3 5.
    order, scales = [0, 2, 4, 1, 3, 5], np.array([1, 1, 1, 1, 1, 1.0])
    np.testing.assert_allclose(y[..., :6], x[..., order], rtol=1e-6)
    scales[[0, 3]] = 0.5
    np.testing.assert_allclose(y[..., 6:], x[..., order] * scales, rtol=1e-6)


@pytest.mark.parametrize("size", [4, 5])
def test_stride_2_pools_what_passes_by(size):
    layer = PartialChannels(channels=2, stride=2, num_edges=1, partition=2)
    x = np.random.default_rng(0).normal(size=(1, size, size, 2))
    x = x.astype(np.float32)
    y = layer(tf.constant(x), tf.zeros((1, 8))).numpy()
    half = -(-size // 2)
    padded = np.full((2 * half, 2 * half), -np.inf, np.float32)
    padded[:size, :size] = x[0, ..., 1]
    largest = padded.reshape(half, 2, half, 2).max(axis=(1, 3))
    # Without a weight, the mixed channel is nothing.
    np.testing.assert_array_equal(y[0, ..., 0], np.zeros((half, half)))
    np.testing.assert_array_equal(y[0, ..., 1], largest)


def test_channels_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="5 channels"):
        PartialChannels(channels=5, stride=1, num_edges=1, partition=2)


def test_edges_of_a_node_share_one():
    logits = np.log([1.0, 3.0, 2.0, 2.0, 4.0])
    expected = [1 / 4, 3 / 4, 1 / 4, 1 / 4, 1 / 2]
    np.testing.assert_allclose(edge_shares(tf.constant(logits), 2), expected)
    np.testing.assert_allclose(edge_strengths(logits, 2), expected)


def test_search_network_ranks_and_learns_its_edges():
    network = SearchNetwork(num_channels=4, num_nodes=2, partial_channels=2)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 9, 9, 1)))
    x = tf.cast(x, tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(x, training=True)[:, 0])
    alphas = network.architecture_weights
    for gradient in tape.gradient(loss, [alpha.value for alpha in alphas]):
        assert np.abs(gradient).max() > 0
    assert [alpha.shape for alpha in alphas] == [(5, 8)] * 2 + [(5,)] * 2
    ids = {id(weight) for weight in network.network_weights}
    assert not ids & {id(alpha) for alpha in alphas}

    # Equal operations: the edges decide, and node 1 keeps two of three.
    network.normal_logits.assign(tf.zeros((5, 8)))
    network.edge_logits[0].assign(np.log([1.0, 3.0, 4.0, 1.0, 5.0]))
    shares = np.array([1 / 4, 3 / 4, 4 / 10, 1 / 10, 5 / 10])
    strengths = network.strengths()[0]
    np.testing.assert_allclose(strengths, np.tile(shares / 8, (8, 1)).T)
    sources = [source for _, source in network.genotype().normal]
    assert sources == [1, 0, 2, 0]


def test_cell_scales_what_its_edges_bring():
    """With skip connections alone and one node, c_k is what passes by."""
    cell = SearchCell(2, False, False, num_nodes=1, partial_channels=2)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 4, 3)))
    x = tf.cast(x, tf.float32)
    weights = tf.constant(np.eye(8, dtype=np.float32)[[SKIP, SKIP]])
    first, second = (
        cell(x, x, weights, tf.constant(shares))
        for shares in ([1.0, 0.0], [0.25, 0.75])
    )
    other = cell(x, x, weights, tf.constant([0.0, 1.0]))
    np.testing.assert_allclose(second, 0.25 * first + 0.75 * other, rtol=1e-5)
    assert np.abs(first - other).max() > 0.1
