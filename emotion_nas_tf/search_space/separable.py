"""Separable convolutions of several edges at once, and their gradients.

A depthwise convolution followed by a pointwise one is also one dense
convolution whose kernel is the product of the two. Which form is quicker
differs between the forward pass, the gradient of the input and that of the
kernels, so each takes its own; nothing but the input is kept for the
backward pass.

Kernels are held edge by edge: depthwise (T, k, k, C), pointwise (T, C, C).
Side by side, the channels of T edges are ordered edge by edge.
"""

import functools
import os
import platform

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.normalization import (
    inverse_deviation,
    moments,
    normalization_gradient,
)

# Up to this many channels a 3x3 is quicker dense in the forward pass, and up
# to that many the kernels' gradients are (2 cores, AVX-512, oneDNN).
_DENSE_FORWARD_CHANNELS = 8
_DENSE_KERNEL_GRADIENT_CHANNELS = 12


def separable(
    x: tf.Tensor,
    repeated: tf.Tensor,
    depthwise: tf.Tensor,
    pointwise: tf.Tensor,
    dilation: int = 1,
) -> tf.Tensor:
    """T separable convolutions of one input, sizes kept.

    Args:
      x: (batch, frequency, time, C).
      repeated: `repeat(x, T)`, which the convolutions of a node share; on a
        CPU the gradient reaches `x` through it.
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).
      dilation: 1 or 2.

    Returns:
      (batch, frequency, time, T * C).
    """
    if on_gpu():
        kernel = composed(depthwise, pointwise)
        return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=dilation)
    if dilation == 2 and not _kernels_dilate(x):
        # The four phases of the grid do not meet: convolve each by itself.
        shape = tf.shape(x)
        crops = [[0, shape[1] % 2], [0, shape[2] % 2]]
        y = _separable(_phases(x), _phases(repeated), depthwise, pointwise, 1)
        return tf.batch_to_space(y, [2, 2], crops)
    return _separable(x, repeated, depthwise, pointwise, dilation)


def strided_separable(
    x: tf.Tensor, depthwise: tf.Tensor, pointwise: tf.Tensor
) -> tf.Tensor:
    """T separable convolutions of stride 2 of one input.

    Args:
      x: (batch, frequency, time, C).
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).

    Returns:
      (batch, ceil(frequency / 2), ceil(time / 2), T * C).
    """
    # `SAME` would pad an even size on one side only.
    x = tf.pad(x, border(depthwise.shape[1] // 2))
    return tf.nn.conv2d(x, composed(depthwise, pointwise), 2, "VALID")


def rectified_separable(
    x: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    depthwise: tf.Tensor,
    pointwise: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Batch normalisation, ReLU, a separable convolution on every edge.

    One custom gradient, because only `x` needs keeping: the normalised and
    the convolved tensors are cheaper to make again than to hold.

    Args:
      x: (batch, frequency, time, T * C).
      gamma: (T * C,).
      beta: (T * C,).
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).

    Returns:
      The result, as `x`, and mean and biased variance of `x`.
    """
    kernel_size = depthwise.shape[1]

    @tf.custom_gradient
    def run(x, gamma, beta, depthwise, pointwise):
        mean, variance = moments(x)
        factor = gamma * inverse_deviation(variance)
        shift = beta - mean * factor
        kernel = side_by_side(depthwise)
        block = block_diagonal(pointwise)
        rectified = elementwise.rectified_affine(x, factor, shift)
        y = separable_each(rectified, depthwise, pointwise)

        def gradient(g, *_):
            g_depthwise = matmul(g, block, transpose_b=True)
            # Not before the backward pass has come here.
            with tf.control_dependencies([g_depthwise]):
                again = tf.identity(x)
            rectified = elementwise.rectified_affine(again, factor, shift)
            g_kernel = _depthwise_kernel_gradient(
                rectified, g_depthwise, kernel_size, 1
            )
            g_block = _products(_depthwise(rectified, kernel, 1), g)
            g_x = _depthwise_input_gradient(g_depthwise, kernel, 1)
            return (
                *normalization_gradient(g_x, x, mean, variance, gamma, beta),
                _edge_by_edge(g_kernel, depthwise.shape[0]),
                _diagonal_blocks(g_block, pointwise.shape[0]),
            )

        return (y, mean, variance), gradient

    return run(x, gamma, beta, depthwise, pointwise)


def separable_each(
    x: tf.Tensor, depthwise: tf.Tensor, pointwise: tf.Tensor
) -> tf.Tensor:
    """A separable convolution on every edge's own channels.

    Args:
      x: (batch, frequency, time, T * C).
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).

    Returns:
      As `x`.
    """
    y = _depthwise(x, side_by_side(depthwise), 1)
    return matmul(y, block_diagonal(pointwise))


def _separable(x, repeated, depthwise, pointwise, dilation):
    """See `separable`."""
    edges, size, _, channels = depthwise.shape
    dense_forward = size == 3 and channels <= _DENSE_FORWARD_CHANNELS
    dense_gradient = channels <= _DENSE_KERNEL_GRADIENT_CHANNELS

    @tf.custom_gradient
    def run(x, repeated, depthwise, pointwise):
        kernel = side_by_side(depthwise)
        block = block_diagonal(pointwise)
        if dense_forward:
            dense = composed(depthwise, pointwise)
            y = tf.nn.conv2d(x, dense, 1, "SAME", dilations=dilation)
        else:
            y = matmul(_depthwise(repeated, kernel, dilation), block)

        def gradient(g):
            g_depthwise = matmul(g, block, transpose_b=True)
            g_repeated = _depthwise_input_gradient(
                g_depthwise, kernel, dilation
            )
            if dense_gradient:
                g_dense = tf.raw_ops.Conv2DBackpropFilter(
                    input=x,
                    filter_sizes=[size, size, channels, edges * channels],
                    out_backprop=g,
                    strides=[1, 1, 1, 1],
                    padding="SAME",
                    dilations=[1, dilation, dilation, 1],
                )
                g_kernels = _gradients_of_factors(g_dense, depthwise, pointwise)
            else:
                # Not before the backward pass has come here.
                with tf.control_dependencies([g]):
                    again = tf.identity(repeated)
                g_kernel = _depthwise_kernel_gradient(
                    again, g_depthwise, size, dilation
                )
                g_block = _products(_depthwise(again, kernel, dilation), g)
                g_kernels = (
                    _edge_by_edge(g_kernel, edges),
                    _diagonal_blocks(g_block, edges),
                )
            return None, g_repeated, *g_kernels

        return y, gradient

    return run(x, repeated, depthwise, pointwise)


def average_around(x: tf.Tensor) -> tf.Tensor:
    """3x3 average pooling of (..., C), the border not counted, sizes kept.

    TensorFlow's own gradient of it takes ten times as long on a CPU as a
    depthwise convolution with ones, which is the same.
    """
    if on_gpu():
        return tf.nn.avg_pool2d(x, 3, 1, "SAME")

    @tf.custom_gradient
    def run(x):
        def gradient(g):
            inside = tf.ones_like(x[:1, :, :, :1])
            shares = 1 / _depthwise(inside, _ones(1, x.dtype), 1)
            g = elementwise.product(g, shares)
            return _depthwise(g, _ones(x.shape[-1], x.dtype), 1)

        return tf.nn.avg_pool2d(x, 3, 1, "SAME"), gradient

    return run(x)


def _ones(channels, dtype):
    return tf.ones((3, 3, channels, 1), dtype)


def matmul(x: tf.Tensor, kernel: tf.Tensor, **kwargs) -> tf.Tensor:
    """1x1 convolution of (batch, frequency, time, channels) as one product.

    Reshaped to rank 2, because rank-4 products can go wrong in TensorFlow
    2.21 with oneDNN.
    """
    rows = tf.reshape(x, (-1, x.shape[-1]))
    y = tf.matmul(rows, kernel, **kwargs)
    shape = [*x.shape[:-1], y.shape[-1]]
    if None in shape:
        shape = tf.concat([tf.shape(x)[:-1], [y.shape[-1]]], 0)
    return tf.reshape(y, shape)


def composed(depthwise: tf.Tensor, pointwise: tf.Tensor) -> tf.Tensor:
    """The dense kernel of both: (k, k, C, T * C)."""
    edges, size, _, channels = depthwise.shape
    kernel = (
        tf.transpose(depthwise, (1, 2, 3, 0))[..., None]
        * tf.transpose(pointwise, (1, 0, 2))[None, None]
    )
    return tf.reshape(kernel, (size, size, channels, edges * channels))


def _gradients_of_factors(g_dense, depthwise, pointwise):
    """From the gradient of `composed`'s result to those of its arguments."""
    edges, size, _, channels = depthwise.shape
    g = tf.reshape(g_dense, (size, size, channels, edges, channels))
    # Ordered edge, k, k, C, C.
    g = tf.transpose(g, (3, 0, 1, 2, 4))
    return (
        tf.reduce_sum(g * pointwise[:, None, None], -1),
        tf.reduce_sum(g * depthwise[..., None], (1, 2)),
    )


def side_by_side(depthwise: tf.Tensor) -> tf.Tensor:
    """(T, k, k, C) as the depthwise kernel (k, k, T * C, 1)."""
    size = depthwise.shape[1]
    kernel = tf.transpose(depthwise, (1, 2, 0, 3))
    return tf.reshape(kernel, (size, size, -1, 1))


def _edge_by_edge(kernel, edges):
    """(k, k, T * C, 1) as (T, k, k, C)."""
    size, _, channels, _ = kernel.shape
    kernel = tf.reshape(kernel, (size, size, edges, channels // edges))
    return tf.transpose(kernel, (2, 0, 1, 3))


def block_diagonal(pointwise: tf.Tensor) -> tf.Tensor:
    """(T, C, C) as (T * C, T * C), zero between edges."""
    edges, channels, _ = pointwise.shape
    if edges == 1:
        return pointwise[0]
    # Every block in every column, and all but the diagonal ones zeroed.
    width = edges * channels
    matrix = tf.tile(tf.reshape(pointwise, (width, channels)), [1, edges])
    return matrix * _blocks(edges, channels, matrix.dtype)


def _diagonal_blocks(matrix, edges):
    """The (T, C, C) blocks on the diagonal of (T * C, T * C)."""
    if edges == 1:
        return matrix[None]
    channels = matrix.shape[0] // edges
    blocks = tf.reshape(
        matrix * _blocks(edges, channels, matrix.dtype),
        (edges, channels, edges, channels),
    )
    return tf.reduce_sum(blocks, 2)


def _blocks(edges, channels, dtype):
    """One in the blocks on the diagonal, zero elsewhere."""
    blocks = np.kron(np.eye(edges), np.ones((channels, channels)))
    return tf.constant(blocks, dtype)


def _products(x, g):
    """x^T g over all positions: (channels of x, channels of g)."""
    return tf.matmul(
        tf.reshape(x, (-1, x.shape[-1])),
        tf.reshape(g, (-1, g.shape[-1])),
        transpose_a=True,
    )


def repeat(x: tf.Tensor, edges: int) -> tf.Tensor:
    """The same C channels for every edge: T * C."""
    if edges == 1:
        return x

    @tf.custom_gradient
    def run(x):
        def gradient(g):
            identities = np.tile(np.eye(x.shape[-1]), [edges, 1])
            return matmul(g, tf.constant(identities, x.dtype))

        return tf.concat([x] * edges, -1), gradient

    return run(x)


def _attributes(dilation):
    return {
        "strides": [1, 1, 1, 1],
        "padding": "SAME",
        "dilations": [1, dilation, dilation, 1],
    }


def _depthwise(x, kernel, dilation):
    return tf.raw_ops.DepthwiseConv2dNative(
        input=x, filter=kernel, **_attributes(dilation)
    )


def _depthwise_input_gradient(g, kernel, dilation):
    if dilation == 1:
        return tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
            input_sizes=g.shape if g.shape.is_fully_defined() else tf.shape(g),
            filter=kernel,
            out_backprop=g,
            **_attributes(1),
        )
    # The gradient kernels of TensorFlow 2.21 leave the dilation out without
    # a word; forward, with the kernel turned around, it is heeded.
    return _depthwise(g, kernel[::-1, ::-1], dilation)


def _depthwise_kernel_gradient(x, g, size, dilation):
    """(k, k, channels, 1)."""
    if dilation == 2:
        # See above: the phases of the grid have dilation 1.
        x, g = (_phases(tensor) for tensor in (x, g))

    def taps(x, columns, padding):
        return tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
            input=x,
            filter_sizes=[size, columns, x.shape[-1], 1],
            out_backprop=g,
            strides=[1, 1, 1, 1],
            padding=padding,
        )

    if size != 5 or on_gpu():
        return taps(x, size, "SAME")
    # Columns -2 to 0 and 0 to 2: twice three are much quicker than five.
    left, right = (
        taps(tf.pad(x, [[0, 0], [2, 2], columns, [0, 0]]), 3, "VALID")
        for columns in ([2, 0], [0, 2])
    )
    return tf.concat([left, right[:, 1:]], 1)


def _phases(x):
    """Even and odd positions apart, for dilation 2; odd sizes are padded."""
    shape = tf.shape(x)
    crops = [[0, shape[1] % 2], [0, shape[2] % 2]]
    return tf.space_to_batch(x, [2, 2], crops)


def border(width: int) -> list[list[int]]:
    """Paddings of `width` around frequency and time, for `tf.pad`."""
    return [[0, 0], [width, width], [width, width], [0, 0]]


@functools.cache
def on_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def _kernels_dilate(x: tf.Tensor) -> bool:
    """Whether the CPU's convolutions of `x` take dilations.

    oneDNN's do, on x86 and in single precision; TensorFlow's own do not.
    """
    return (
        x.dtype == tf.float32
        and not on_gpu()
        and platform.machine() in ("x86_64", "AMD64")
        and os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    )
