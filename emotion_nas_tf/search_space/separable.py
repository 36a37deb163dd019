"""Separable convolutions of several edges at once, and their gradients.

A depthwise convolution followed by a pointwise one is also one dense
convolution whose kernel is the product of the two. Which form is quicker
differs between the forward pass, the gradient of the input and that of the
kernels, so each takes its own; nothing but the input is kept for the
backward pass.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.kernel_layout import (
    composed,
    diagonal_blocks,
    edge_by_edge,
    gradients_of_factors,
)
from emotion_nas_tf.search_space.parts import kernel_gradients_wanted
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
    kernel: tf.Tensor,
    block: tf.Tensor,
    dilation: int = 1,
) -> tf.Tensor:
    """T separable convolutions of one input, sizes kept.

    Args:
      x: (batch, frequency, time, C).
      repeated: `repeat(x, T)`, which the convolutions of a node share; on a
        CPU the gradient reaches `x` through it.
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).
      kernel: `side_by_side` of `depthwise`; takes no gradient, as `block`.
      block: `block_diagonal` of `pointwise`.
      dilation: 1 or 2.

    Returns:
      (batch, frequency, time, T * C).
    """
    if on_gpu():
        dense = composed(depthwise, pointwise)
        return tf.nn.conv2d(x, dense, 1, "SAME", dilations=dilation)
    kernels = depthwise, pointwise, kernel, block
    if dilation == 2 and not kernels_dilate(x):
        # The four phases of the grid do not meet: convolve each by itself.
        shape = tf.shape(x)
        crops = [[0, shape[1] % 2], [0, shape[2] % 2]]
        y = _separable(phases(x), phases(repeated), *kernels, 1)
        return tf.batch_to_space(y, [2, 2], crops)
    return _separable(x, repeated, *kernels, dilation)


def strided_separable(
    x: tf.Tensor,
    depthwise: tf.Tensor,
    pointwise: tf.Tensor,
    kernel: tf.Tensor,
    matrix: tf.Tensor,
) -> tf.Tensor:
    """T separable convolutions of stride 2 of one input.

    Args:
      x: (batch, frequency, time, C).
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).
      kernel: `interleaved` of `depthwise`; takes no gradient, as `matrix`.
      matrix: `interleaved_blocks` of `pointwise`.

    Returns:
      (batch, ceil(frequency / 2), ceil(time / 2), T * C).
    """
    size = depthwise.shape[1]
    # `SAME` would pad an even size on one side only.
    around = border(size // 2)
    if on_gpu() or size < 5:
        dense = composed(depthwise, pointwise)
        return tf.nn.conv2d(tf.pad(x, around), dense, 2, "VALID")
    return _strided_separable(x, depthwise, pointwise, kernel, matrix, around)


def separable_each(
    x: tf.Tensor, kernel: tf.Tensor, block: tf.Tensor
) -> tf.Tensor:
    """A separable convolution on every edge's own channels.

    Args:
      x: (batch, frequency, time, T * C).
      kernel: `side_by_side` of depthwise kernels.
      block: `block_diagonal` of pointwise ones.

    Returns:
      As `x`.
    """
    return matmul(depthwise_convolution(x, kernel, 1), block)


def separable_each_gradients(
    g: tf.Tensor,
    make: Callable[[], tf.Tensor],
    kernel: tf.Tensor,
    block: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """Gradients of `separable_each`'s arguments; of kernels if wanted.

    Args:
      g: of its result.
      make: gives its `x`, which only the kernels' gradients need.
      kernel: as there.
      block: as there.
    """
    g_depthwise = matmul(g, block, transpose_b=True)
    g_x = depthwise_input_gradient(g_depthwise, kernel, 1)
    if not kernel_gradients_wanted():
        return (g_x,)
    # Not before the backward pass has come here.
    with tf.control_dependencies([g_depthwise]):
        x = make()
    return (
        g_x,
        depthwise_kernel_gradient(x, g_depthwise, kernel.shape[0], 1),
        products(depthwise_convolution(x, kernel, 1), g),
    )


def _strided_separable(x, depthwise, pointwise, kernel, matrix, around):
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
            if not kernel_gradients_wanted():
                return g_x, None, None
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


def _separable(x, repeated, depthwise, pointwise, kernel, block, dilation):
    """See `separable`."""
    edges, size, _, channels = depthwise.shape
    dense_gradient = edges > 1 and channels <= _DENSE_GRADIENT_CHANNELS

    @tf.custom_gradient
    def run(x, repeated, depthwise, pointwise):
        y = matmul(depthwise_convolution(repeated, kernel, dilation), block)

        def gradient(g):
            g_depthwise = matmul(g, block, transpose_b=True)
            g_repeated = depthwise_input_gradient(g_depthwise, kernel, dilation)
            if not kernel_gradients_wanted():
                return None, g_repeated, None, None
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
