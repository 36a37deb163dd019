"""Pooling and slicing with gradients of their own, against plain loops."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.primitives import grids, largest_around

DTYPES = ["float16", "float32", "float64"]
SIZES = [(4, 6), (5, 3), (1, 2)]


def run(function, x, weights):
    """Results and the gradient of their weighted sum, eagerly and compiled.

    Once more compiled without knowing the sizes.
    """

    def differentiate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nest.flatten(function(x))
            total = sum(
                tf.reduce_sum(part * tf.cast(weight, part.dtype))
                for part, weight in zip(y, weights, strict=True)
            )
        return y, tape.gradient(total, x)

    unknown = tf.TensorSpec((None, None, None, x.shape[-1]), x.dtype)
    x = tf.constant(x)
    yield differentiate(x)
    yield tf.function(differentiate, autograph=False)(x)
    yield tf.function(differentiate, [unknown], autograph=False)(x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_of_equal_values_the_first_takes_the_gradient(size, dtype):
    generator = np.random.default_rng(0)
    # Three values only: most windows have several largest ones.
    x = generator.integers(-3, 0, (2, *size, 3)).astype(dtype)
    weights = generator.integers(-4, 5, x.shape).astype(dtype)
    expected, gradient = np.zeros_like(x), np.zeros_like(x)
    for batch, row, column, channel in np.ndindex(*x.shape):
        top, left = max(row - 1, 0), max(column - 1, 0)
        window = x[batch, top : row + 2, left : column + 2, channel]
        expected[batch, row, column, channel] = window.max()
        down, right = np.unravel_index(window.argmax(), window.shape)
        gradient[batch, top + down, left + right, channel] += weights[
            batch, row, column, channel
        ]
    for (y,), g in run(largest_around, x, [weights]):
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(g, gradient)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_grids_of_even_and_odd_positions(size, dtype):
    generator = np.random.default_rng(1)
    x = generator.integers(-9, 9, (2, *size, 3)).astype(dtype)
    halves = [-(-length // 2) for length in size]
    weights = generator.integers(1, 9, (2, 2, *halves, 3)).astype(dtype)
    filled = np.zeros((2, *(2 * half for half in halves), 3), dtype)
    filled[:, : size[0], : size[1]] = x
    gradient = np.zeros_like(filled)
    gradient[:, ::2, ::2], gradient[:, 1::2, 1::2] = weights
    gradient = gradient[:, : size[0], : size[1]]
    for (even, odd), g in run(grids, x, weights):
        np.testing.assert_array_equal(even, filled[:, ::2, ::2])
        np.testing.assert_array_equal(odd, filled[:, 1::2, 1::2])
        np.testing.assert_array_equal(g, gradient)
