"""The candidate operations of a cell (paper, section 3.3).

Every operation is one layer that works on all the edges leaving a node at
once: their channels stand side by side, edge after edge, so that one kernel
does the work of many. A derived network uses the same layers with one edge.
Input (batch, frequency, time, channels); output (batch, frequency / stride,
time / stride, edges * channels), sizes rounded up, whatever the parity.

To add an operation: a layer here, a row in `OPERATIONS`, its name in
`genotype.OPERATION_NAMES`, a case in the tests.
"""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.convolution import (
    SeparableStage,
    border,
    fan_in_uniform,
    pointwise,
)
from emotion_nas_tf.search_space.normalization import BatchNormalization


class Operation(keras.layers.Layer):
    """What all operations share.

    Args:
      channels: channels C of the input and of each edge's output.
      stride: 1 or 2, in frequency and time.
      num_edges: edges T leaving the node.
      search: in the search network, whose batch normalisations learn neither
        scale nor offset and follow poolings too.
    """

    def __init__(
        self,
        channels: int,
        stride: int,
        num_edges: int = 1,
        search: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if stride not in (1, 2):
            raise ValueError(f"stride must be 1 or 2. Received: {stride}")
        self.channels = channels
        self.stride = stride
        self.num_edges = num_edges
        self.search = search

    def shared_by_edges(self, training: bool) -> bool:
        """Whether every edge gets the same result: C channels, once."""
        return False

    def add_kernel(self, name: str, shape: tuple, fan_in: int):
        """A weight drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        return self.add_weight(
            name=name, shape=shape, initializer=fan_in_uniform(fan_in)
        )

    def inherit(self, other: "Operation", edge: int = 0) -> None:
        """Takes over the weights of one edge of a wider layer of its kind."""

    def call(
        self,
        x: tf.Tensor,
        scale: tf.Tensor | None = None,
        rectified: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Applies the operation.

        Args:
          x: (batch, frequency, time, C).
          scale: (T * C,) factors for the result, in the search network.
          rectified: max(x, 0) where the caller has it already.
          training: batch statistics in the normalisations.
        """
        raise NotImplementedError


class _Pooling(Operation):
    def shared_by_edges(self, training: bool) -> bool:
        """The batch's statistics are the same for all, running ones not."""
        return training or not self.search

    def build(self, input_shape: tuple) -> None:
        if self.search:
            self.normalization = BatchNormalization(affine=False)
            self.normalization.build((self.num_edges * self.channels,))

    def call(self, x, scale=None, rectified=None, training=False):
        y = self.pool(x)
        if not self.search:
            return y
        return self.normalization(y, scale=scale, training=training)


class MaxPooling(_Pooling):
    """3x3 max pooling; the border counts as minus infinity."""

    def pool(self, x: tf.Tensor) -> tf.Tensor:
        """Pools (batch, frequency, time, C)."""
        if self.stride == 1:
            return tf.nn.max_pool2d(x, 3, 1, "SAME")
        # `SAME` would pad an even size on one side only.
        padded = tf.pad(x, border(1), constant_values=x.dtype.min)
        return tf.nn.max_pool2d(padded, 3, 2, "VALID")


class AveragePooling(_Pooling):
    """3x3 average pooling over the values inside the border."""

    def pool(self, x: tf.Tensor) -> tf.Tensor:
        """Pools (batch, frequency, time, C)."""
        if self.stride == 1:
            return tf.nn.avg_pool2d(x, 3, 1, "SAME")
        ones = tf.ones_like(x[:1, :, :, :1])
        total, count = (
            tf.nn.avg_pool2d(tf.pad(v, border(1)), 3, 2, "VALID")
            for v in (x, ones)
        )
        return total / count


class Identity(Operation):
    """Skip connection of stride 1."""

    def shared_by_edges(self, training: bool) -> bool:
        """Always: it has nothing of its own."""
        return True

    def call(self, x, scale=None, rectified=None, training=False):
        """Returns `x`."""
        return x


class FactorizedReduction(Operation):
    """Skip connection of stride 2: ReLU, two shifted 1x1 convolutions, BN.

    Half of an edge's channels see the even positions, half the odd ones. The
    positions are sliced before a stride-1 product, because TensorFlow 2.21's
    filter gradient of a strided 1x1 convolution damages memory. On odd sizes
    the shifted grid reads one zero beyond the border.
    """

    def build(self, input_shape: tuple) -> None:
        """Creates the two halves' kernels, (T, C_in, C / 2) each."""
        inputs, half = input_shape[-1], self.channels // 2
        self.even = self.add_kernel(
            "even", (self.num_edges, inputs, half), inputs
        )
        self.odd = self.add_kernel(
            "odd", (self.num_edges, inputs, self.channels - half), inputs
        )
        self.normalization = BatchNormalization(affine=not self.search)
        self.normalization.build((self.num_edges * self.channels,))

    def inherit(self, other: "FactorizedReduction", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.even.assign(other.even.value[edge : edge + 1])
        self.odd.assign(other.odd.value[edge : edge + 1])
        self.normalization.inherit(other.normalization, edge)

    def call(self, x, scale=None, rectified=None, training=False):
        """Returns (batch, ceil(frequency / 2), ceil(time / 2), T * C)."""
        rectified = tf.nn.relu(x) if rectified is None else rectified
        shape = tf.shape(rectified)
        shifted = tf.pad(
            rectified,
            [[0, 0], [0, shape[1] % 2], [0, shape[2] % 2], [0, 0]],
        )[:, 1::2, 1::2]
        both = tf.concat([rectified[:, ::2, ::2], shifted], -1)
        even = tf.transpose(self.even.value, (1, 0, 2))
        odd = tf.transpose(self.odd.value, (1, 0, 2))
        kernel = tf.concat(
            [
                tf.concat([even, tf.zeros_like(odd)], -1),
                tf.concat([tf.zeros_like(even), odd], -1),
            ],
            0,
        )
        y = pointwise(
            both, tf.reshape(kernel, (-1, self.num_edges * self.channels))
        )
        return self.normalization(y, scale=scale, training=training)


class SeparableConvolution(Operation):
    """(ReLU, depthwise k x k, pointwise, BN) twice, the stride in the first.

    Args:
      kernel_size: 3 or 5.
      **kwargs: see `Operation`.
    """

    def __init__(self, kernel_size: int, **kwargs):
        super().__init__(**kwargs)
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple) -> None:
        """Creates the two stages."""
        self.first = SeparableStage(
            self, self.kernel_size, self.stride, name="first"
        )
        self.second = SeparableStage(
            self, self.kernel_size, per_edge_input=True, name="second"
        )

    def inherit(self, other: "SeparableConvolution", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.first.inherit(other.first, edge)
        self.second.inherit(other.second, edge)

    def call(self, x, scale=None, rectified=None, training=False):
        """Returns (batch, frequency / stride, time / stride, T * C)."""
        rectified = tf.nn.relu(x) if rectified is None else rectified
        y = tf.nn.relu(self.first(rectified, training=training))
        return self.second(y, scale=scale, training=training)


class DilatedConvolution(Operation):
    """ReLU, depthwise k x k of dilation 2, pointwise, BN.

    Args:
      kernel_size: 3 or 5.
      **kwargs: see `Operation`.
    """

    def __init__(self, kernel_size: int, **kwargs):
        super().__init__(**kwargs)
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple) -> None:
        """Creates the one stage."""
        self.stage = SeparableStage(
            self, self.kernel_size, self.stride, dilation=2, name="stage"
        )

    def inherit(self, other: "DilatedConvolution", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.stage.inherit(other.stage, edge)

    def call(self, x, scale=None, rectified=None, training=False):
        """Returns (batch, frequency / stride, time / stride, T * C)."""
        rectified = tf.nn.relu(x) if rectified is None else rectified
        return self.stage(rectified, scale=scale, training=training)


class Zero(Operation):
    """No connection."""

    def shared_by_edges(self, training: bool) -> bool:
        """Always: it has nothing of its own."""
        return True

    def call(self, x, scale=None, rectified=None, training=False):
        """Returns zeros of the strided size."""
        return tf.zeros_like(x[:, :: self.stride, :: self.stride])


def _skip(stride: int, **kwargs) -> Operation:
    kind = Identity if stride == 1 else FactorizedReduction
    return kind(stride=stride, **kwargs)


def _sized(kind: type[Operation], kernel_size: int):
    return lambda **kwargs: kind(kernel_size=kernel_size, **kwargs)


OPERATIONS = {
    "none": Zero,
    "max_pool_3x3": MaxPooling,
    "avg_pool_3x3": AveragePooling,
    "skip_connect": _skip,
    "sep_conv_3x3": _sized(SeparableConvolution, 3),
    "sep_conv_5x5": _sized(SeparableConvolution, 5),
    "dil_conv_3x3": _sized(DilatedConvolution, 3),
    "dil_conv_5x5": _sized(DilatedConvolution, 5),
}
