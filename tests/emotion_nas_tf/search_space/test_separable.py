"""Separable convolutions against dense ones written out tap by tap."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    interleaved,
    interleaved_blocks,
    side_by_side,
)
from emotion_nas_tf.search_space.primitives import repeat
from emotion_nas_tf.search_space.separable import (
    separable,
    separable_each,
    strided_separable,
)

SHAPE = (2, 9, 10)


def dense_kernel(depthwise, pointwise, dilation):
    """One edge's k x k x C x C kernel, zeros between the taps."""
    size = depthwise.shape[0]
    width = dilation * (size - 1) + 1
    kernel = np.zeros((width, width, *pointwise.shape))
    kernel[::dilation, ::dilation] = np.einsum(
        "ijc,cd->ijcd", depthwise, pointwise
    )
    return kernel


def convolved(x, kernel, stride=1):
    """The plain sum over taps, in NumPy; the border counts as zero."""
    half = kernel.shape[0] // 2
    padded = np.pad(x, [(0, 0), (half, half), (half, half), (0, 0)])
    rows, columns = x.shape[1:3]
    return sum(
        padded[:, i : i + rows, j : j + columns] @ kernel[i, j]
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    )[:, ::stride, ::stride]


def drawn(channels, edges, size, dtype):
    generator = np.random.default_rng(channels + edges + size)
    return tuple(
        tf.constant(generator.normal(size=shape), dtype)
        for shape in (
            (*SHAPE, channels),
            (edges, size, size, channels),
            (edges, channels, channels),
        )
    )


def central_differences(function, arrays, g, generator):
    """d sum(g * function) along a random direction of each array."""
    for position, array in enumerate(arrays):
        direction = generator.normal(size=array.shape)
        ends = []
        for sign in (1, -1):
            moved = list(arrays)
            moved[position] = array + sign * 1e-5 * direction
            ends.append((function(*moved) * g).sum())
        yield direction, (ends[0] - ends[1]) / 2e-5


# Gradients of the kernels: 4: of several edges dense; 10: of stride 2 only;
# 14: not.
@pytest.mark.parametrize(
    ("channels", "edges"), [(4, 1), (4, 3), (10, 2), (14, 2)]
)
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (1, 2), (2, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradients(channels, edges, size, stride, dilation, dtype):
    inputs = drawn(channels, edges, size, dtype)

    def ours(x, depthwise, pointwise):
        kernels = depthwise, pointwise
        if stride == 2:
            laid_out = interleaved(depthwise), interleaved_blocks(pointwise)
            return strided_separable(x, *kernels, *laid_out)
        laid_out = side_by_side(depthwise), block_diagonal(pointwise)
        return separable(x, repeat(x, edges), *kernels, *laid_out, dilation)

    def plain(x, depthwise, pointwise):
        return np.concatenate(
            [
                convolved(
                    x,
                    dense_kernel(depthwise[t], pointwise[t], dilation),
                    stride,
                )
                for t in range(edges)
            ],
            -1,
        )

    check(ours, plain, inputs, dtype)


@pytest.mark.parametrize("edges", [1, 3])
@pytest.mark.parametrize("size", [3, 5])
def test_every_edge_convolves_its_own_channels(edges, size):
    x, depthwise, pointwise = drawn(4, edges, size, "float64")
    wide = tf.concat([x * (t + 1) for t in range(edges)], -1)
    expected = np.concatenate(
        [
            convolved(
                x.numpy() * (t + 1),
                dense_kernel(depthwise[t].numpy(), pointwise[t].numpy(), 1),
            )
            for t in range(edges)
        ],
        -1,
    )
    np.testing.assert_allclose(
        separable_each(
            wide, side_by_side(depthwise), block_diagonal(pointwise)
        ),
        expected,
        atol=1e-12,
    )


def check(ours, plain, inputs, dtype):
    close = 1e-12 if dtype == "float64" else 1e-5
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = ours(*inputs)
    arrays = [tensor.numpy().astype("float64") for tensor in inputs]
    expected = plain(*arrays)
    greatest = abs(expected).max()
    np.testing.assert_allclose(y, expected, atol=close * greatest)
    generator = np.random.default_rng(5)
    g = generator.normal(size=expected.shape)
    gradients = tape.gradient(y, inputs, tf.constant(g, dtype))
    for gradient, (direction, slope) in zip(
        gradients, central_differences(plain, arrays, g, generator), strict=True
    ):
        along = (gradient.numpy().astype("float64") * direction).sum()
        scale = np.linalg.norm(gradient) * np.linalg.norm(direction)
        # Linear in each argument: the differences are exact but for rounding.
        assert (
            abs(along - slope) < (1e-8 if dtype == "float64" else 1e-6) * scale
        )
