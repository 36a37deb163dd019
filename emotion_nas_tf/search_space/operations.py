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
    fan_in_uniform,
)
from emotion_nas_tf.search_space.normalization import BatchNormalization
from emotion_nas_tf.search_space.primitives import (
    average_around,
    border,
    largest_around,
    matmul,
)
from emotion_nas_tf.search_space.separable import separable, strided_separable
from emotion_nas_tf.search_space.source import Source


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

    # Whether every edge gets the same result: C channels, once.
    shared_by_edges = False
    # The batch normalisation that ends it, if one does.
    last: BatchNormalization | None = None

    def add_kernel(self, name: str, shape: tuple, fan_in: int):
        """A weight drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        return self.add_weight(
            name=name, shape=shape, initializer=fan_in_uniform(fan_in)
        )

    def inherit(self, other: "Operation", edge: int = 0) -> None:
        """Takes over the weights of one edge of a wider layer of its kind."""

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Applies the operation.

        Args:
          x: (batch, frequency, time, C).
          training: batch statistics in the normalisations.
        """
        y = self.unnormalized(Source(x, self.num_edges), training)
        return y if self.last is None else self.last(y, training=training)

    def unnormalized(self, source: Source, training: bool) -> tf.Tensor:
        """The operation without its last batch normalisation.

        The mixed operation normalises, weights and adds in one go.

        Args:
          source: the node's value, (batch, frequency, time, C).
          training: batch statistics in the normalisations before the last.
        """
        raise NotImplementedError


class _Pooling(Operation):
    shared_by_edges = True

    def build(self, input_shape: tuple) -> None:
        if self.search:
            self.last = BatchNormalization(affine=False)
            self.last.build((self.num_edges * self.channels,))


class MaxPooling(_Pooling):
    """3x3 max pooling; the border counts as minus infinity."""

    def unnormalized(self, source, training):
        """See `Operation`."""
        x = source.value
        if self.stride == 1:
            return largest_around(x)
        # `SAME` would pad an even size on one side only.
        padded = tf.pad(x, border(1), constant_values=x.dtype.min)
        return tf.nn.max_pool2d(padded, 3, 2, "VALID")


class AveragePooling(_Pooling):
    """3x3 average pooling over the values inside the border."""

    def unnormalized(self, source, training):
        """See `Operation`."""
        x = source.value
        if self.stride == 1:
            return average_around(x)
        ones = tf.ones_like(x[:1, :, :, :1])
        total, count = (
            tf.nn.avg_pool2d(tf.pad(v, border(1)), 3, 2, "VALID")
            for v in (x, ones)
        )
        return total / count


class Identity(Operation):
    """Skip connection of stride 1."""

    shared_by_edges = True

    def unnormalized(self, source, training):
        """See `Operation`."""
        return source.value


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
        self.last = BatchNormalization(affine=not self.search)
        self.last.build((self.num_edges * self.channels,))

    def inherit(self, other: "FactorizedReduction", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.even.assign(other.even.value[edge : edge + 1])
        self.odd.assign(other.odd.value[edge : edge + 1])
        self.last.inherit(other.last, edge)

    def unnormalized(self, source, training):
        """See `Operation`."""
        even, odd = (
            tf.transpose(half.value, (1, 0, 2))
            for half in (self.even, self.odd)
        )
        first = tf.concat([even, tf.zeros_like(odd)], -1)
        last = tf.concat([tf.zeros_like(even), odd], -1)
        kernel = tf.concat([first, last], 0)
        width = self.num_edges * self.channels
        both = tf.concat(source.even_and_odd, -1)
        return matmul(both, tf.reshape(kernel, (-1, width)))


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
        self.first = SeparableStage(self, self.kernel_size, name="first")
        self.second = SeparableStage(self, self.kernel_size, name="second")
        self.last = self.second.normalization

    def inherit(self, other: "SeparableConvolution", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.first.inherit(other.first, edge)
        self.second.inherit(other.second, edge)

    def unnormalized(self, source, training):
        """See `Operation`."""
        kernels = self.first.kernels()
        if self.stride == 1:
            y = separable(source.rectified, source.repeated, *kernels)
        else:
            y = strided_separable(source.rectified, *kernels)
        return self.second.convolve_rectified(
            y, self.first.normalization, training
        )


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
        self.stage = SeparableStage(self, self.kernel_size, name="stage")
        self.last = self.stage.normalization

    def inherit(self, other: "DilatedConvolution", edge: int = 0) -> None:
        """See `Operation.inherit`."""
        self.stage.inherit(other.stage, edge)

    def unnormalized(self, source, training):
        """See `Operation`."""
        kernels = self.stage.kernels()
        if self.stride == 1:
            return separable(
                source.rectified, source.repeated, *kernels, dilation=2
            )
        # Dilation 2 with stride 2 meets even positions only.
        return separable(source.even, source.even_repeated, *kernels)


class Zero(Operation):
    """No connection."""

    shared_by_edges = True

    def unnormalized(self, source, training):
        """See `Operation`."""
        return tf.zeros_like(source.value[:, :: self.stride, :: self.stride])


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
