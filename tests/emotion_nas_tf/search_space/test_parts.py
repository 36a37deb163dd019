"""A batch in parts, beside the same batch as a whole."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space import supernet
from emotion_nas_tf.search_space.parts import (
    apart,
    cut,
    each,
    kernel_gradients,
    number_of_parts,
    whole,
)
from emotion_nas_tf.search_space.supernet import SearchNetwork

BATCH = 4


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(0)
    # Odd sizes: what is halved is padded.
    return (
        generator.normal(size=(BATCH, 11, 9, 1)),
        generator.normal(size=(BATCH, 3)),
    )


pytestmark = pytest.mark.usefixtures("double_precision")


def network(**options):
    """Two reduction cells, of 8 and of 16 channels: gradients of the first
    one's kernels are dense.
    """
    keras.utils.set_random_seed(1)
    return SearchNetwork(
        num_cells=2, num_channels=4, num_nodes=2, num_classes=3, **options
    )


def differentiate(net, arrays, compiled):
    """Logits, gradients of all weights, running statistics after it."""
    x, g = map(tf.constant, arrays)
    net(x)

    def run(x):
        values = [weight.value for weight in net.trainable_variables]
        with tf.GradientTape() as tape:
            logits = net(x, training=True)
        # Alpha of normal cells has no use.
        return logits, tape.gradient(
            logits, values, g, unconnected_gradients="zero"
        )

    logits, gradients = (tf.function(run) if compiled else run)(x)
    return [logits, *gradients, *net.non_trainable_variables]


@pytest.mark.parametrize("options", [{}, {"partial_channels": 2}])
def test_parts_change_nothing(arrays, monkeypatch, options):
    found = []
    for parts, compiled in ((1, False), (4, False), (2, True)):
        monkeypatch.setattr(supernet, "number_of_parts", lambda _, p=parts: p)
        found.append(differentiate(network(**options), arrays, compiled))
    expected, *others = found
    # Normalised in parts, a batch would give quite other logits.
    for other in others:
        for ours, theirs in zip(other, expected, strict=True):
            np.testing.assert_allclose(
                ours, theirs, rtol=1e-8, atol=1e-9 * np.abs(theirs).max()
            )


@pytest.mark.parametrize("compiled", [False, True])
def test_alphas_alone_get_the_same_gradients(arrays, compiled):
    x, g = map(tf.constant, arrays)
    net = network()
    net(x)
    _, alphas = net.architecture_weights
    first = net.cells[0].mixed[0].operations["sep_conv_3x3"].first
    sources = [alphas.value, first.pointwise.value]

    def run(wanted):
        with tf.GradientTape() as tape, kernel_gradients(wanted):
            logits = net(x, training=True)
        return tape.gradient(logits, sources, g)

    if compiled:
        run = tf.function(run, autograph=False)
    expected, of_kernel = run(True)
    found, none = run(False)
    assert none is None
    assert np.abs(of_kernel).max() > 0
    assert np.abs(expected).max() > 0
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("batch", "parts"),
    [(32, 4), (16, 4), (12, 3), (8, 2), (2, 2), (7, 1), (1, 1), (None, 1)],
)
def test_parts_are_equal(batch, parts):
    assert number_of_parts(batch) == parts


def test_whole_undoes_cut():
    x = tf.reshape(tf.range(12), (6, 2))
    assert [part.shape[0] for part in cut(x, 3)] == [2, 2, 2]
    np.testing.assert_array_equal(whole(cut(x, 3)), x)
    assert cut(x, 1) is x


def test_each_part_is_given_its_own_arguments():
    first, second = cut(tf.range(6), 2), cut(tf.range(6) * 10, 2)
    found = each(lambda a, b: a + b, first, second)
    np.testing.assert_array_equal(whole(found), np.arange(6) * 11)
    assert each(tf.negative, tf.constant(3)) == -3


def test_what_is_apart_is_traced_once_and_stays_one_operation():
    traced = []

    def function(x):
        traced.append(x.shape)
        return tf.sin(tf.exp(x))

    piece = apart(function)

    @tf.function
    def run(x):
        return tf.add_n([piece(part) for part in tf.split(x, 4)])

    x = tf.reshape(tf.range(8.0) / 8, (8, 1))
    graph = run.get_concrete_function(x).graph
    operations = [operation.type for operation in graph.get_operations()]
    assert operations.count("PartitionedCall") == 4
    assert "Exp" not in operations
    (held,) = graph.as_graph_def().library.function
    # Nor later, where TensorFlow puts what is called in its place.
    assert held.attr["_noinline"].b
    assert traced == [(2, 1)]
    expected = np.sin(np.exp(np.arange(8.0) / 8)).reshape(4, 2, 1).sum(0)
    np.testing.assert_allclose(run(x), expected, rtol=1e-5)
