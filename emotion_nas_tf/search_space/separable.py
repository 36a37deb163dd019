"""Separable convolutions of several edges at once, and their gradients.

A depthwise convolution followed by a pointwise one is also one dense
convolution whose kernel is the product of the two. Which form is quicker
differs between the forward pass, the gradient of the input and that of the
kernels, so each takes its own; nothing but the input is kept for the
backward pass.
"""

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    composed,
    diagonal_blocks,
    edge_by_edge,
    gradients_of_factors,
    side_by_side,
)
from emotion_nas_tf.search_space.normalization import (
    inverse_deviation,
    moments,
    normalization_gradient,
)
from emotion_nas_tf.search_space.primitives import (
    border,
    depthwise_convolution,
    depthwise_input_gradient,
    depthwise_kernel_gradient,
    kernels_dilate,
    matmul,
    on_gpu,
    phases,
    products,
)

# Up to so many channels the kernels' gradients of several edges are quicker
# dense (AVX-512, oneDNN); of stride 2, those of a 5x5.
_DENSE_GRADIENT_CHANNELS = 8
_DENSE_STRIDED_GRADIENT_CHANNELS = 12


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
    if dilation == 2 and not kernels_dilate(x):
        # The four phases of the grid do not meet: convolve each by itself.
        shape = tf.shape(x)
        crops = [[0, shape[1] % 2], [0, shape[2] % 2]]
        y = _separable(phases(x), phases(repeated), depthwise, pointwise, 1)
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
    size = depthwise.shape[1]
    # `SAME` would pad an even size on one side only.
    around = border(size // 2)
    if on_gpu() or size < 5:
        kernel = composed(depthwise, pointwise)
        return tf.nn.conv2d(tf.pad(x, around), kernel, 2, "VALID")
    return _strided_separable(x, depthwise, pointwise, around)


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
    # Beside the result: as results they would be given gradients of zero.
    statistics = []

    @tf.custom_gradient
    def run(x, gamma, beta, depthwise, pointwise):
        mean, variance = moments(x)
        statistics.extend([mean, variance])
        inverse = inverse_deviation(variance)
        factor = gamma * inverse
        shift = beta - mean * factor
        kernel = side_by_side(depthwise)
        block = block_diagonal(pointwise)
        rectified = elementwise.rectified_affine(x, factor, shift)
        y = matmul(depthwise_convolution(rectified, kernel, 1), block)

        def gradient(g):
            g_depthwise = matmul(g, block, transpose_b=True)
            # Not before the backward pass has come here.
            with tf.control_dependencies([g_depthwise]):
                again = tf.identity(x)
            rectified = elementwise.rectified_affine(again, factor, shift)
            g_kernel = depthwise_kernel_gradient(
                rectified, g_depthwise, kernel_size, 1
            )
            g_block = products(depthwise_convolution(rectified, kernel, 1), g)
            g_x = depthwise_input_gradient(g_depthwise, kernel, 1)
            return (
                *normalization_gradient(g_x, x, mean, inverse, gamma, beta),
                edge_by_edge(g_kernel, depthwise.shape[0]),
                diagonal_blocks(g_block, pointwise.shape[0]),
            )

        return y, gradient

    return run(x, gamma, beta, depthwise, pointwise), *statistics


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
    y = depthwise_convolution(x, side_by_side(depthwise), 1)
    return matmul(y, block_diagonal(pointwise))


def _strided_separable(x, depthwise, pointwise, around):
    """See `strided_separable`."""
    edges, size, _, channels = depthwise.shape
    dense_gradient = channels <= _DENSE_STRIDED_GRADIENT_CHANNELS
    attributes = {
        "strides": [1, 2, 2, 1],
        "padding": "EXPLICIT",
        "explicit_paddings": [width for sides in around for width in sides],
    }

    @tf.custom_gradient
    def run(x, depthwise, pointwise):
        # One channel's edges stand together: (k, k, C, T).
        kernel = tf.transpose(depthwise, (1, 2, 3, 0))
        matrix = tf.reshape(
            block_diagonal(pointwise), (edges, channels, edges * channels)
        )
        matrix = tf.reshape(
            tf.transpose(matrix, (1, 0, 2)), (-1, edges * channels)
        )

        def convolve(x):
            return tf.raw_ops.DepthwiseConv2dNative(
                input=x, filter=kernel, **attributes
            )

        def gradient(g):
            g_depthwise = matmul(g, matrix, transpose_b=True)
            # Every edge by itself, then their sum: oneDNN's kernels know
            # neither several results of a channel nor paddings.
            g_padded = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x) * [1, 1, 1, edges] + np.sum(around, 1),
                filter=tf.reshape(kernel, (size, size, -1, 1)),
                out_backprop=g_depthwise,
                strides=attributes["strides"],
                padding="VALID",
            )
            if edges > 1:
                summing = np.repeat(np.eye(channels), edges, axis=0)
                g_padded = matmul(g_padded, tf.constant(summing, x.dtype))
            inside = slice(size // 2, -(size // 2))
            g_x = g_padded[:, inside, inside]
            # Not before the backward pass has come here.
            with tf.control_dependencies([g]):
                again = tf.identity(x)
            if dense_gradient:
                g_dense = tf.raw_ops.Conv2DBackpropFilter(
                    input=tf.pad(again, around),
                    filter_sizes=[size, size, channels, edges * channels],
                    out_backprop=g,
                    strides=attributes["strides"],
                    padding="VALID",
                )
                return g_x, *gradients_of_factors(g_dense, depthwise, pointwise)
            g_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=again,
                filter_sizes=kernel.shape,
                out_backprop=g_depthwise,
                **attributes,
            )
            g_matrix = tf.reshape(
                products(convolve(again), g), (channels, edges, -1)
            )
            g_block = tf.reshape(
                tf.transpose(g_matrix, (1, 0, 2)), (edges * channels, -1)
            )
            return (
                g_x,
                tf.transpose(g_kernel, (3, 0, 1, 2)),
                diagonal_blocks(g_block, edges),
            )

        return matmul(convolve(x), matrix), gradient

    return run(x, depthwise, pointwise)


def _separable(x, repeated, depthwise, pointwise, dilation):
    """See `separable`."""
    edges, size, _, channels = depthwise.shape
    dense_gradient = edges > 1 and channels <= _DENSE_GRADIENT_CHANNELS

    @tf.custom_gradient
    def run(x, repeated, depthwise, pointwise):
        kernel = side_by_side(depthwise)
        block = block_diagonal(pointwise)
        y = matmul(depthwise_convolution(repeated, kernel, dilation), block)

        def gradient(g):
            g_depthwise = matmul(g, block, transpose_b=True)
            g_repeated = depthwise_input_gradient(g_depthwise, kernel, dilation)
            if dense_gradient:
                g_dense = tf.raw_ops.Conv2DBackpropFilter(
                    input=x,
                    filter_sizes=[size, size, channels, edges * channels],
                    out_backprop=g,
                    strides=[1, 1, 1, 1],
                    padding="SAME",
                    dilations=[1, dilation, dilation, 1],
                )
                g_kernels = gradients_of_factors(g_dense, depthwise, pointwise)
            else:
                # Not before the backward pass has come here.
                with tf.control_dependencies([g]):
                    again = tf.identity(repeated)
                g_kernel = depthwise_kernel_gradient(
                    again, g_depthwise, size, dilation
                )
                convolved = depthwise_convolution(again, kernel, dilation)
                g_block = products(convolved, g)
                g_kernels = (
                    edge_by_edge(g_kernel, edges),
                    diagonal_blocks(g_block, edges),
                )
            return None, g_repeated, *g_kernels

        return y, gradient

    return run(x, repeated, depthwise, pointwise)
