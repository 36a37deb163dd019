"""The candidate operations of a cell (paper, section 3.3).

Every operation is one layer that works on all the edges leaving a node at
once: their channels stand side by side, edge after edge, so that one kernel
does the work of many. A derived network uses the same layers with one edge.
Input (batch, frequency, time, channels); output (batch, frequency / stride,
time / stride, edges * channels), sizes rounded up, whatever the parity.

To add an operation: a layer here, a row in `OPERATIONS`, its name in
`genotype.OPERATION_NAMES`, a case in the tests.
"""

import tensorflow as tf

from emotion_nas_tf.search_space.convolution import (
    SeparableStage,
)
from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    interleaved,
    interleaved_blocks,
    side_by_side,
)
from emotion_nas_tf.search_space.normalization import BatchNormalization
from emotion_nas_tf.search_space.operation import Operation
from emotion_nas_tf.search_space.parts import Parts, each, shape_of_each
from emotion_nas_tf.search_space.primitives import (
    average_around,
    border,
    largest_around,
    matmul,
)
from emotion_nas_tf.search_space.separable import separable, strided_separable
from emotion_nas_tf.search_space.source import Source


class _Pooling(Operation):
    @property
    def ends_normalized(self):
        return self.search

    def build(self, input_shape: tuple) -> None:
        if self.search:
            self.last = BatchNormalization(affine=False)
            self.last.build((self.num_edges * self.channels,))


class MaxPooling(_Pooling):
    """3x3 max pooling; the border counts as minus infinity."""

    def begin(self, source):
        """See `Operation`."""
        x = source.value
        if self.stride == 1:
            return largest_around(x)
        # `SAME` would pad an even size on one side only.
        padded = tf.pad(x, border(1), constant_values=x.dtype.min)
        return tf.nn.max_pool2d(padded, 3, 2, "VALID")


class AveragePooling(_Pooling):
    """3x3 average pooling over the values inside the border."""

    def begin(self, source):
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

    ends_normalized = False

    def begin(self, source):
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
        input_shape = shape_of_each(input_shape)
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

    def call(self, x: Parts, training: bool = False) -> Parts:
        """See `Operation`; also of a batch in parts, as a cell's input."""
        y = each(
            lambda x: self.unnormalized(Source(x, self.num_edges), training), x
        )
        return self.last(y, training=training)

    def kernels(self):
        """See `Operation`."""
        return tuple(
            tf.convert_to_tensor(half.value) for half in (self.even, self.odd)
        )

    def begin(self, source, *kernels):
        """See `Operation`."""
        even, odd = (tf.transpose(half, (1, 0, 2)) for half in kernels)
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

    two_stages = True

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

    def kernels(self):
        """See `Operation`."""
        return self.first.kernels()

    def lay_out(self, depthwise, pointwise):
        """See `Operation`."""
        if self.stride == 1:
            return side_by_side(depthwise), block_diagonal(pointwise)
        return interleaved(depthwise), interleaved_blocks(pointwise)

    def begin(self, source, *tensors):
        """See `Operation`."""
        if self.stride == 1:
            return separable(source.rectified, source.repeated, *tensors)
        return strided_separable(source.rectified, *tensors)

    def unnormalized(self, source, training):
        """See `Operation`."""
        y = super().unnormalized(source, training)
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

    def kernels(self):
        """See `Operation`."""
        return self.stage.kernels()

    def lay_out(self, depthwise, pointwise):
        """See `Operation`."""
        return side_by_side(depthwise), block_diagonal(pointwise)

    def begin(self, source, *tensors):
        """See `Operation`."""
        if self.stride == 1:
            return separable(
                source.rectified, source.repeated, *tensors, dilation=2
            )
        # Dilation 2 with stride 2 meets even positions only.
        return separable(source.even, source.even_repeated, *tensors)


class Zero(Operation):
    """No connection."""

    ends_normalized = False

    def begin(self, source):
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
