"""Normalising, rectifying, convolving in one step, against the formula."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.moments import merged_moments, moments
from emotion_nas_tf.search_space.normalization import EPSILON, normalize
from emotion_nas_tf.search_space.second_stage import rectified_separable

EDGES, CHANNELS = 3, 2


def plainly_normalized(x, gamma=1.0, beta=0.0):
    mean = tf.reduce_mean(x, (0, 1, 2))
    variance = tf.reduce_mean((x - mean) ** 2, (0, 1, 2))
    return (x - mean) / tf.sqrt(variance + EPSILON) * gamma + beta


def drawn(seed, *shapes):
    generator = np.random.default_rng(seed)
    return [tf.constant(generator.normal(1.0, 2.0, shape)) for shape in shapes]


def compare(ours, plain, inputs):
    """Values and gradients, executed eagerly and compiled."""
    generator = np.random.default_rng(9)
    g = tf.constant(generator.normal(size=plain(*inputs).shape))

    def differentiate(function):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(*inputs)
        return y, *tape.gradient(y, inputs, g)

    expected = differentiate(plain)
    for run in (differentiate, tf.function(differentiate, autograph=False)):
        for one, other in zip(run(ours), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-10)


@pytest.mark.parametrize("parts", [(slice(None),), (slice(2), slice(2, 4))])
def test_normalization(parts):
    inputs = drawn(0, (4, 3, 4, 5), (5,), (5,))

    def ours(x, gamma, beta):
        ys, *_ = normalize([x[part] for part in parts], gamma, beta)
        return tf.concat(ys, 0)

    compare(ours, plainly_normalized, inputs)


def test_moments_of_parts_are_those_of_the_batch():
    (x,) = drawn(5, (6, 3, 4, 5))
    # Means far apart, which the variance must hear of.
    x += tf.reshape(tf.range(6, dtype=x.dtype) // 2 * 10, (6, 1, 1, 1))
    mean, variance = merged_moments(
        *zip(*(moments(part) for part in tf.split(x, 3)), strict=True)
    )
    np.testing.assert_allclose(mean, np.mean(x, (0, 1, 2)))
    np.testing.assert_allclose(variance, np.var(x, (0, 1, 2)))


def test_normalization_rectification_and_convolution():
    width = EDGES * CHANNELS
    inputs = drawn(
        3,
        (2, 5, 4, width),
        (width,),
        (width,),
        (EDGES, 3, 3, CHANNELS),
        (EDGES, CHANNELS, CHANNELS),
    )

    def plain(x, gamma, beta, depthwise, pointwise):
        x = tf.nn.relu(plainly_normalized(x, gamma, beta))
        parts = [
            tf.nn.conv2d(
                part,
                tf.einsum("ijc,cd->ijcd", depthwise[t], pointwise[t]),
                1,
                "SAME",
            )
            for t, part in enumerate(tf.split(x, EDGES, -1))
        ]
        return tf.concat(parts, -1)

    compare(lambda *a: rectified_separable(*a)[0], plain, inputs)


@pytest.mark.parametrize("rows", [(2, 3, 4), (1, 7, 1), (4, 4, 1)])
def test_partial_sums_keep_the_total(rows):
    (x,) = drawn(4, (*rows, 3))
    pairs, origin = elementwise.deviations(x)
    for part, power in ((tf.math.real(pairs), 1), (tf.math.imag(pairs), 2)):
        np.testing.assert_allclose(
            tf.reduce_sum(tf.reshape(part, (-1, 3)), 0),
            ((x - origin) ** power).numpy().sum((0, 1, 2)),
        )


def test_variance_of_values_far_from_zero():
    generator = np.random.default_rng(5)
    x = generator.normal([1e3, -1e4], [1.0, 0.1], (4, 40, 30, 2))
    x = x.astype(np.float32)
    mean, variance = moments(tf.constant(x))
    np.testing.assert_allclose(mean, x.astype(float).mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(
        variance, x.astype(float).var((0, 1, 2)), rtol=1e-4
    )
