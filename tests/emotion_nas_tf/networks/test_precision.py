"""Networks in half the bits, beside themselves in single precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.precision import layers_in
from emotion_nas_tf.networks.system import build_network
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.moments import moments
from emotion_nas_tf.search_space.normalization import normalize

SIZES = NetworkConfig(num_cells=3, num_channels=4, num_nodes=2)
EDGES = (
    ("sep_conv_5x5", 0),
    ("avg_pool_3x3", 1),
    ("dil_conv_3x3", 2),
    ("skip_connect", 0),
)
CELLS = Genotype(EDGES, (2, 3), EDGES, (2, 3))
BITS = {"mixed_bfloat16": 8, "mixed_float16": 11}
# Twenty roundings a cell, one after another, add up as a random walk does.
TOLERANCES = {name: np.sqrt(3 * 20) * 2.0**-bits for name, bits in BITS.items()}
INPUT = np.random.default_rng(0).normal(size=(8, 12, 13, 1)).astype(np.float32)


def run(precision, genotype):
    """The network, its logits in training and in evaluation."""
    keras.utils.set_random_seed(0)
    network = build_network(SIZES, 3, genotype, (12, 13), precision=precision)
    return network, network(INPUT, training=True), network(INPUT)


@pytest.fixture(scope="module", params=[None, CELLS], ids=["search", "derived"])
def single(request):
    return request.param, *run("float32", request.param)


def distance(values, expected):
    """Of the norm."""
    difference = np.linalg.norm(np.asarray(values) - np.asarray(expected))
    return difference / np.linalg.norm(expected)


@pytest.mark.parametrize("precision", BITS)
def test_half_the_bits_give_nearly_the_same_logits(single, precision):
    genotype, expected, *logits = single
    network, *found = run(precision, genotype)
    for ours, theirs in zip(found, logits, strict=True):
        assert ours.dtype == tf.float32
        assert 0 < distance(ours, theirs) < TOLERANCES[precision]
    # Weights, statistics and alpha; drawn alike, moved alike.
    assert {v.dtype for v in network.variables} == {"float32"}
    for ours, theirs in zip(
        network.trainable_weights, expected.trainable_weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    # The cells' activations are what is halved.
    half = network.compute_dtype
    assert half == precision.removeprefix("mixed_")
    stem = tf.zeros((1, 12, 13, 3 * SIZES.num_channels), half)
    arguments, _ = network.cell_arguments()
    for weights in arguments:
        assert weights.dtype == tf.float32
    assert network.cells[0](stem, stem, *arguments).dtype == half


def test_other_layers_are_not_touched():
    with layers_in("mixed_float16"):
        assert keras.layers.Dense(1).compute_dtype == "float16"
    assert keras.layers.Dense(1).compute_dtype == "float32"


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_moments_are_of_single_precision(dtype):
    """Half precision counts to 2048, and here are 100,000 values."""
    x = np.random.default_rng(0).normal(3, 1, size=(64, 40, 40, 2))
    x = tf.cast(x, dtype)
    values = x.numpy().astype(np.float64)
    for size in (64, None):
        run = tf.function(
            moments,
            input_signature=[tf.TensorSpec((size, 40, 40, 2), dtype)],
            autograph=False,
        )
        mean, variance = run(x)
        assert mean.dtype == variance.dtype == tf.float32
        # Of a sum of so many in float32.
        np.testing.assert_allclose(mean, values.mean((0, 1, 2)), rtol=1e-4)
        np.testing.assert_allclose(variance, values.var((0, 1, 2)), rtol=1e-4)


@pytest.mark.parametrize("precision", BITS)
def test_gradients_of_a_normalisation_are_rounded_once(precision):
    generator = np.random.default_rng(0)
    half = precision.removeprefix("mixed_")
    x, g = (
        tf.cast(generator.normal(size=(8, 5, 5, 3)), half) for _ in range(2)
    )
    gamma, beta = tf.constant([1.0, 2.0, -1.0]), tf.zeros(3)

    def gradients(x, g, gamma, beta, function):
        with tf.GradientTape() as tape:
            tape.watch([x, gamma])
            y = function(x, gamma, beta)
        assert y.dtype == x.dtype
        return tape.gradient(y, [x, gamma], g)

    def plain(x, gamma, beta):
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        return gamma * (x - mean) / tf.sqrt(variance + 1e-5) + beta

    def ours(x, gamma, beta):
        (y,), *_ = normalize([x], gamma, beta)
        return y

    found = gradients(x, g, gamma, beta, ours)
    expected = gradients(
        *(tf.cast(tensor, tf.float64) for tensor in (x, g, gamma, beta)), plain
    )
    assert [each.dtype for each in found] == [half, "float32"]
    assert distance(tf.cast(found[0], tf.float64), expected[0]) < (
        2.0 ** -BITS[precision]
    )
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4)
