"""Derived cells: which edges enter which node."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.search_space.cell import DerivedCell, SearchCell
from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from emotion_nas_tf.search_space.genotype import Genotype

# Node 0: c_{k-2} alone. Node 1: both inputs and node 0. Node 2: nothing.
CELL = (
    *(("skip_connect", 0), ("none", 1)),
    *(("skip_connect", 0), ("max_pool_3x3", 1), ("skip_connect", 2)),
    *(("none", 0), ("none", 1), ("none", 2), ("none", 3)),
)
GENOTYPE = Genotype(CELL, (2, 3, 4), CELL, (2, 3, 4), all_edges=True)


def inputs():
    generator = np.random.default_rng(0)
    return [
        tf.constant(generator.normal(size=(2, 6, 5, 4)), tf.float32)
        for _ in range(2)
    ]


def test_all_edges_by_hand():
    cell = DerivedCell(
        GENOTYPE, channels=4, reduction=False, after_reduction=False
    )
    first, second = inputs()
    y = cell(first, second)
    s0, s1 = cell.preprocess0(first), cell.preprocess1(second)
    pooled = tf.nn.max_pool2d(s1, 3, 1, "SAME")
    expected = tf.concat([s0, s0 + pooled + s0, tf.zeros_like(s0)], -1)
    np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("reduction", [False, True])
def test_all_edges_inherit_the_search_cells_weights(reduction):
    """With all weight on the kept operations both cells give the same."""
    names = ("sep_conv_3x3", "dil_conv_5x5", "sep_conv_5x5", "dil_conv_3x3",
             "sep_conv_3x3")  # fmt: skip
    sources = (0, 1, 0, 1, 2)
    edges = tuple(zip(names, sources, strict=True))
    genotype = Genotype(edges, (2, 3), edges, (2, 3), all_edges=True)
    plan = {"channels": 4, "reduction": reduction, "after_reduction": False}
    search = SearchCell(**plan, num_nodes=2)
    derived = DerivedCell(genotype, **plan)
    weights = np.zeros((5, 8), np.float32)
    for row, name in enumerate(names):
        weights[row, OPERATION_NAMES.index(name)] = 1.0
    search(*inputs(), tf.constant(weights), training=True)
    derived(*inputs())
    derived.inherit(search)
    np.testing.assert_allclose(
        derived(*inputs()),
        search(*inputs(), tf.constant(weights)),
        atol=1e-5,
    )


def test_network_of_all_edges_trains():
    network = DerivedNetwork(GENOTYPE, num_cells=3, num_channels=2)
    with tf.GradientTape() as tape:
        logits = network(tf.ones((2, 9, 8, 1)), training=True)
        loss = tf.reduce_sum(logits**2)
    gradients = tape.gradient(
        loss, [w.value for w in network.trainable_weights]
    )
    assert logits.shape == (2, 4)
    assert any(g is not None and np.any(g) for g in gradients)
