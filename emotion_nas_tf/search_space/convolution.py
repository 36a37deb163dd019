"""The weights of separable convolutions, and how they begin."""

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    side_by_side,
)
from emotion_nas_tf.search_space.moments import values_per_channel
from emotion_nas_tf.search_space.normalization import (
    BatchNormalization,
    move_running_statistics,
)
from emotion_nas_tf.search_space.second_stage import rectified_separable
from emotion_nas_tf.search_space.separable import separable_each

if TYPE_CHECKING:
    from emotion_nas_tf.search_space.operation import Operation


class SeparableStage(keras.layers.Layer):
    """Depthwise k x k, pointwise, and the BN after them, on every edge.

    Args:
      operation: whose channels, edges and search mode it takes.
      kernel_size: k.
    """

    def __init__(self, operation: "Operation", kernel_size: int, **kwargs):
        super().__init__(**kwargs)
        channels, edges = operation.channels, operation.num_edges
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

    def kernels(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Depthwise (T, k, k, C) and pointwise (T, C, C)."""
        return (
            tf.convert_to_tensor(self.depthwise.value),
            tf.convert_to_tensor(self.pointwise.value),
        )

    def convolve_rectified(
        self, x: tf.Tensor, before: BatchNormalization, training: bool
    ) -> tf.Tensor:
        """Normalises by `before`, rectifies and convolves each edge's own C.

        Args:
          x: (batch, frequency, time, T * C).
          before: its running statistics are updated in training.
          training: normalise by the batch.

        Returns:
          As `x`, not normalised.
        """
        if not training:
            factor, shift = before.running_affine()
            depthwise, pointwise = self.kernels()
            return separable_each(
                tf.nn.relu(elementwise.scale_and_shift(x, factor, shift)),
                side_by_side(depthwise),
                block_diagonal(pointwise),
            )
        y, mean, variance = rectified_separable(
            x, *before.scale_and_offset(), *self.kernels()
        )
        move_running_statistics([before], mean, variance, values_per_channel(x))
        return y


def fan_in_uniform(fan_in: int) -> keras.initializers.Initializer:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the published code's default."""
    limit = fan_in**-0.5
    return keras.initializers.RandomUniform(-limit, limit)
