"""The convolutions that the operations are made of."""

import functools
import os
import platform
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.normalization import BatchNormalization

if TYPE_CHECKING:
    from emotion_nas_tf.search_space.operations import Operation

# Up to this many input channels a depthwise and a pointwise convolution are
# quicker as the one dense convolution that they compose to.
DENSE_CHANNELS = 24


class SeparableStage(keras.layers.Layer):
    """Depthwise k x k, pointwise, BN on every edge: no ReLU.

    Args:
      operation: whose channels, edges and search mode it takes.
      kernel_size: k.
      stride: of this stage.
      dilation: 1 or 2; dilation 2 with stride 2 meets even positions only, so
        they are sliced first and convolved densely.
      per_edge_input: the input already holds T * C channels.
    """

    def __init__(
        self,
        operation: "Operation",
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        per_edge_input: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        channels, edges = operation.channels, operation.num_edges
        self.channels, self.num_edges = channels, edges
        self.kernel_size, self.stride = kernel_size, stride
        self.dilation = dilation
        self.per_edge_input = per_edge_input and edges > 1
        self.depthwise = operation.add_kernel(
            "depthwise", (edges, kernel_size, kernel_size, channels),
            kernel_size**2,
        )  # fmt: skip
        self.pointwise = operation.add_kernel(
            "pointwise", (edges, channels, channels), channels
        )
        self.normalization = BatchNormalization(affine=not operation.search)
        self.normalization.build((edges * channels,))
        self.built = True

    def inherit(self, other: "SeparableStage", edge: int) -> None:
        """Takes over the weights of one edge of a wider stage."""
        self.depthwise.assign(other.depthwise.value[edge : edge + 1])
        self.pointwise.assign(other.pointwise.value[edge : edge + 1])
        self.normalization.inherit(other.normalization, edge)

    def call(
        self,
        x: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Maps (batch, frequency, time, C or T * C) to T * C channels."""
        stride, dilation = self.stride, self.dilation
        if stride == 2 and dilation == 2:
            x, stride, dilation = x[:, ::2, ::2], 1, 1
        padding = "SAME"
        if stride == 2:
            x = tf.pad(x, border(self.kernel_size // 2))
            padding = "VALID"
        if self.per_edge_input:
            y = self._convolve_each(x, padding)
        elif self.channels <= DENSE_CHANNELS:
            y = self._convolve_densely(x, stride, dilation, padding)
        else:
            y = self._convolve_shared(x, stride, dilation, padding)
        return self.normalization(y, scale=scale, training=training)

    def _convolve_densely(self, x, stride, dilation, padding):
        # With nothing between them the two convolutions are one: the kernel
        # is their product.
        kernel = tf.einsum(
            "tijc,tcd->ijctd", self.depthwise.value, self.pointwise.value
        )
        size = self.kernel_size
        kernel = tf.reshape(kernel, (size, size, self.channels, -1))
        if dilation == 2:
            return _dilated_convolution(x, kernel)
        return tf.nn.conv2d(x, kernel, stride, padding)

    def _convolve_shared(self, x, stride, dilation, padding):
        kernel = tf.transpose(self.depthwise.value, (1, 2, 3, 0))
        y = tf.nn.depthwise_conv2d(
            x, kernel, [1, stride, stride, 1], padding,
            dilations=[dilation, dilation],
        )  # fmt: skip
        # Its channels come edge by edge within a channel: (c, t).
        mix = tf.einsum(
            "tcd,ts->ctsd", self.pointwise.value, self._edge_identity()
        )
        return pointwise(y, tf.reshape(mix, (y.shape[-1], -1)))

    def _convolve_each(self, x, padding):
        size = self.kernel_size
        kernel = tf.transpose(self.depthwise.value, (1, 2, 0, 3))
        kernel = tf.reshape(kernel, (size, size, -1, 1))
        y = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], padding)
        mix = tf.einsum(
            "tcd,ts->tcsd", self.pointwise.value, self._edge_identity()
        )
        return pointwise(y, tf.reshape(mix, (y.shape[-1], -1)))

    def _edge_identity(self):
        return tf.eye(self.num_edges, dtype=self.pointwise.value.dtype)


def fan_in_uniform(fan_in: int) -> keras.initializers.Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the published code's default."""
    limit = fan_in**-0.5
    return keras.initializers.RandomUniform(-limit, limit)


def pointwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """1x1 convolution of (batch, frequency, time, channels) as one product.

    Reshaped to rank 2, because rank-4 products can go wrong in TensorFlow
    2.21 with oneDNN.
    """
    y = tf.reshape(x, (-1, kernel.shape[0])) @ kernel
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], [kernel.shape[1]]], 0))


def _dilated_convolution(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Stride 1, dilation 2, size kept."""
    if x.dtype == tf.float32 and _has_dilated_gradient():
        return tf.nn.conv2d(x, kernel, 1, "SAME", dilations=2)
    # The four phases of the grid do not meet: convolve each by itself.
    shape = tf.shape(x)
    crops = [[0, shape[1] % 2], [0, shape[2] % 2]]
    phases = tf.space_to_batch(x, [2, 2], crops)
    y = tf.nn.conv2d(phases, kernel, 1, "SAME")
    return tf.batch_to_space(y, [2, 2], crops)


def border(width: int) -> list[list[int]]:
    """Paddings of `width` around frequency and time, for `tf.pad`."""
    return [[0, 0], [width, width], [width, width], [0, 0]]


@functools.cache
def _has_dilated_gradient() -> bool:
    """Whether a dilated convolution can be differentiated here.

    TensorFlow's plain CPU kernels cannot; oneDNN's can, on x86.
    """
    return bool(tf.config.list_physical_devices("GPU")) or (
        platform.machine() in ("x86_64", "AMD64")
        and os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    )
