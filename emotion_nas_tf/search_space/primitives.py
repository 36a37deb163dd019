"""Convolutions, products and pooling, in the form that is quick here."""

import functools
import os
import platform

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise


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


def products(x: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
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


def largest_around(x: tf.Tensor) -> tf.Tensor:
    """3x3 max pooling of (..., C), sizes kept.

    Of equal values the first takes the gradient, as in TensorFlow's own, which
    takes three times as long on a CPU.
    """
    if on_gpu():
        return tf.nn.max_pool2d(x, 3, 1, "SAME")

    @tf.custom_gradient
    def run(x):
        def gradient(g):
            # Not before the backward pass has come here.
            with tf.control_dependencies([g]):
                around = tf.pad(x, border(1), constant_values=x.dtype.min)
            places = elementwise.places_of_largest(around)
            nowhere = tf.constant(-1, places.dtype)
            return elementwise.sums_at_places(
                tf.pad(places, border(1), constant_values=nowhere),
                tf.pad(g, border(1)),
            )

        return tf.nn.max_pool2d(x, 3, 1, "SAME"), gradient

    return run(x)


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
            shares = 1 / depthwise_convolution(inside, _ones(1, x.dtype), 1)
            g = elementwise.product(g, shares)
            return depthwise_convolution(g, _ones(x.shape[-1], x.dtype), 1)

        return tf.nn.avg_pool2d(x, 3, 1, "SAME"), gradient

    return run(x)


def _ones(channels, dtype):
    return tf.ones((3, 3, channels, 1), dtype)


def _attributes(dilation):
    return {
        "strides": [1, 1, 1, 1],
        "padding": "SAME",
        "dilations": [1, dilation, dilation, 1],
    }


def depthwise_convolution(
    x: tf.Tensor, kernel: tf.Tensor, dilation: int
) -> tf.Tensor:
    """Stride 1, sizes kept: (..., C) by a (k, k, C, 1) kernel."""
    return tf.raw_ops.DepthwiseConv2dNative(
        input=x, filter=kernel, **_attributes(dilation)
    )


def depthwise_input_gradient(
    g: tf.Tensor, kernel: tf.Tensor, dilation: int
) -> tf.Tensor:
    """The gradient of `depthwise_convolution`'s input, as `g`."""
    if dilation == 1:
        return tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
            input_sizes=g.shape if g.shape.is_fully_defined() else tf.shape(g),
            filter=kernel,
            out_backprop=g,
            **_attributes(1),
        )
    # The gradient kernels of TensorFlow 2.21 leave the dilation out without
    # a word; forward, with the kernel turned around, it is heeded.
    return depthwise_convolution(g, kernel[::-1, ::-1], dilation)


def depthwise_kernel_gradient(
    x: tf.Tensor, g: tf.Tensor, size: int, dilation: int
) -> tf.Tensor:
    """The gradient of `depthwise_convolution`'s kernel: (k, k, C, 1)."""
    if dilation == 2:
        # See above: the phases of the grid have dilation 1.
        x, g = (phases(tensor) for tensor in (x, g))

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


def phases(x: tf.Tensor) -> tf.Tensor:
    """Even and odd positions apart, for dilation 2; odd sizes are padded."""
    shape = x.shape
    if None in shape[1:3]:
        shape = tf.shape(x)
    return tf.space_to_batch(x, [2, 2], [[0, shape[i] % 2] for i in (1, 2)])


def grids(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`x` at even rows and columns, and at odd ones; zeros fill odd sizes."""
    sizes = x.shape if x.shape.is_fully_defined() else tf.shape(x)
    batch, height, width, channels = (sizes[i] for i in range(4))
    missing = [[0, 0], [0, height % 2], [0, width % 2], [0, 0]]
    is_even = not any(size is None or size % 2 for size in x.shape[1:3])
    halves = (batch, (height + 1) // 2, (width + 1) // 2, channels)

    @tf.custom_gradient
    def run(x):
        def gradient(g_even, g_odd):
            # What lies between is not looked at.
            zeros = tf.zeros_like(g_even)
            g = tf.nn.depth_to_space(
                tf.concat([g_even, zeros, zeros, g_odd], -1), 2
            )
            return g if is_even else g[:, :height, :width]

        filled = x if is_even else tf.pad(x, missing)
        # A slice with steps would take five times as long on a CPU.
        pairs = tf.reshape(filled, (-1, 2, halves[2], 2, channels))
        return tuple(
            tf.reshape(pairs[:, first, :, first], halves) for first in (0, 1)
        ), gradient

    return run(x)


def border(width: int) -> list[list[int]]:
    """Paddings of `width` around frequency and time, for `tf.pad`."""
    return [[0, 0], [width, width], [width, width], [0, 0]]


@functools.cache
def on_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


def kernels_dilate(x: tf.Tensor) -> bool:
    """Whether the CPU's convolutions of `x` take dilations.

    oneDNN's do, on x86 and in single precision; TensorFlow's own do not.
    """
    return (
        x.dtype == tf.float32
        and not on_gpu()
        and platform.machine() in ("x86_64", "AMD64")
        and os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    )
