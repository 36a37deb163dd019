"""Drop path: who loses an edge, how often, and that the mean stays."""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.networks.drop_path import DropPath
from emotion_nas_tf.search_space.genotype import Genotype

STEPS, EPOCHS = 10, 4


def dropped(step, seed=0, cell=0, edge=0, batch=2000):
    """What is left of ones, an utterance a row."""
    drop = DropPath(
        0.8, seed, keras.Variable(step, dtype="int32"), STEPS, EPOCHS
    )
    y = drop(cell, edge, tf.ones((batch, 2, 3, 2)))
    return y.numpy().reshape(batch, -1)


def test_probability_grows_linearly_with_the_epoch():
    for epoch in range(EPOCHS):
        probability = 0.8 * epoch / EPOCHS
        # The last step of the epoch.
        y = dropped(epoch * STEPS + STEPS - 1)
        # An utterance loses all of an edge or nothing.
        assert (y == y[:, :1]).all()
        lost = y[:, 0] == 0
        # Four standard deviations.
        width = 4 * np.sqrt(probability * (1 - probability) / len(lost))
        assert abs(lost.mean() - probability) <= width
        np.testing.assert_allclose(y[~lost], 1 / (1 - probability), rtol=1e-6)


def test_draws_are_a_function_of_seed_step_and_edge():
    step = 3 * STEPS
    first = dropped(step)
    np.testing.assert_array_equal(first, dropped(step))
    for other in (
        {"step": step + 1},
        {"step": step, "seed": 1},
        {"step": step, "cell": 1},
        {"step": step, "edge": 1},
    ):
        # Independent: .6 * .6 + .4 * .4 of the utterances fare alike.
        same = (dropped(**other) == first)[:, 0].mean()
        assert abs(same - 0.52) < 0.05


def test_identities_are_never_dropped():
    # Each node is c_{k-1} and something that can be dropped.
    genotype = Genotype(
        normal=(("skip_connect", 1), ("avg_pool_3x3", 0)) * 2,
        normal_concat=(2, 3),
        reduce=(("skip_connect", 1), ("avg_pool_3x3", 0)) * 2,
        reduce_concat=(2, 3),
    )
    network = DerivedNetwork(genotype, num_channels=2)
    x = tf.random.stateless_normal((2, 8, 8, 1), seed=(0, 0))
    network(x)
    asked = []

    def silence(cell, edge, y):
        asked.append((cell, edge))
        return tf.zeros_like(y)

    network.drop_paths(silence)
    network(x, training=False)
    assert asked == []
    outputs = network.outputs_of_cells(x, training=True)
    # Cells 1 and 2 are reductions, whose skips are convolutions.
    assert asked == [
        (0, 1),
        (0, 3),
        *[(c, e) for c in (1, 2) for e in range(4)],
    ]
    stem = outputs[0]
    kept = network.cells[0].preprocess1(stem, training=True)
    np.testing.assert_allclose(
        outputs[1], tf.concat([kept, kept], -1), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(outputs[2], tf.zeros_like(outputs[2]))
