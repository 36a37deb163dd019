"""Batch normalisation as the published search uses it.

The layer, and the mathematics behind it for those who fold it into a larger
custom gradient.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.moments import (
    added,
    merged_moments,
    moments,
    sums_of_pairs,
    values_per_channel,
)
from emotion_nas_tf.search_space.parts import Parts, apart, each

EPSILON = 1e-5
MOMENTUM = 0.9


def inverse_deviation(variance: tf.Tensor) -> tf.Tensor:
    """1 / sqrt(variance + EPSILON)."""
    return tf.math.rsqrt(variance + EPSILON)


def coefficients(
    sums: tf.Tensor,
    products: tf.Tensor,
    mean: tf.Tensor,
    inverse: tf.Tensor,
    factor: tf.Tensor,
    n: float | tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Of x and of 1 in the gradient of x; that of `g` is `factor`.

    All may be matrices with a row a tensor.

    Args:
      sums: of the result's gradient g, (C,).
      products: sums of g * (x - mean) * inverse, (C,).
      mean: of x, (C,).
      inverse: of x, (C,).
      factor: gamma * inverse, (C,).
      n: values a channel has.
    """
    scale = factor / -n
    slope = scale * inverse * products
    return slope, scale * sums - slope * mean


def normalize(
    parts: Sequence[tf.Tensor], gamma: tf.Tensor, beta: tf.Tensor
) -> tuple[tuple[tf.Tensor, ...], tf.Tensor, tf.Tensor]:
    """Normalises by the batch.

    Args:
      parts: of the batch, (..., C) each.
      gamma: (C,) scale.
      beta: (C,) offset.

    Returns:
      Parts of the result, and the mean and biased variance that made them,
      which no gradient flows through.
    """
    # Beside the result: as results they would be given gradients of zero.
    statistics = []
    moments_of, sums_of = moments, _sums
    if len(parts) > 1:
        moments_of, sums_of = _moments_apart, _sums_apart

    @tf.custom_gradient
    def run(gamma, beta, *parts):
        found = [moments_of(x) for x in parts]
        mean, variance = merged_moments(*zip(*found, strict=True))
        statistics.extend([mean, variance])
        inverse = inverse_deviation(variance)
        factor = gamma * inverse
        shift = beta - mean * factor
        ys = tuple(elementwise.affine(x, factor, shift) for x in parts)

        def gradient(*gs):
            sums, products = added(
                sums_of(g, x, mean) for g, x in zip(gs, parts, strict=True)
            )
            products *= inverse
            slope, constant = coefficients(
                sums, products, mean, inverse, factor,
                values_per_channel(parts[0]) * len(parts),
            )  # fmt: skip
            g_parts = [
                elementwise.linear_combination(
                    constant, [factor, slope], [g, x]
                )
                for g, x in zip(gs, parts, strict=True)
            ]
            return products, sums, *g_parts

        return ys, gradient

    return run(gamma, beta, *parts), *statistics


def _sums(g, x, origin):
    return sums_of_pairs(elementwise.gradient_products(g, x, origin))


_moments_apart, _sums_apart = apart(moments), apart(_sums)


class BatchNormalization(keras.layers.Layer):
    """Normalises each channel over batch, frequency and time.

    Differs from `keras.layers.BatchNormalization` in what the published
    numbers need: the running variance takes the unbiased estimate
    (n / (n - 1)), and `affine=False` leaves out scale and offset.

    Args:
      affine: learn a scale and an offset.
    """

    def __init__(self, affine: bool, **kwargs):
        super().__init__(**kwargs)
        self.affine = affine

    def build(self, input_shape: tuple) -> None:
        """Creates the running statistics, and scale and offset if affine."""
        channels = (input_shape[-1],)
        # Also where activations are held in half the bits.
        whole = {"shape": channels, "autocast": False}
        if self.affine:
            self.gamma = self.add_weight(
                name="gamma", initializer="ones", **whole
            )
            self.beta = self.add_weight(
                name="beta", initializer="zeros", **whole
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            initializer="zeros",
            trainable=False,
            aggregation="mean",
            **whole,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            initializer="ones",
            trainable=False,
            aggregation="mean",
            **whole,
        )

    def call(self, x: Parts, training: bool = False) -> Parts:
        """Normalises `x` (batch, frequency, time, channels).

        Args:
          x: the activations.
          training: normalise by the batch and update the running statistics.
        """
        if not training:
            factor, shift = self.running_affine()
            return each(
                lambda x: elementwise.scale_and_shift(x, factor, shift), x
            )
        parts = x if isinstance(x, tuple) else (x,)
        ys, mean, variance = normalize(parts, *self.scale_and_offset())
        n = values_per_channel(parts[0]) * len(parts)
        move_running_statistics([self], mean, variance, n)
        return ys if isinstance(x, tuple) else ys[0]

    def scale_and_offset(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Gamma and beta; one and zero where they are not learned."""
        if self.affine:
            return tuple(
                tf.convert_to_tensor(variable.value)
                for variable in (self.gamma, self.beta)
            )
        shape = self.moving_mean.shape
        return tuple(
            make(shape, self.variable_dtype) for make in (tf.ones, tf.zeros)
        )

    def running_affine(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Factor and shift that normalise by the running statistics."""
        gamma, beta = self.scale_and_offset()
        factor = gamma * inverse_deviation(self.moving_variance.value)
        return factor, beta - self.moving_mean.value * factor

    def inherit(self, other: "BatchNormalization", edge: int = 0) -> None:
        """Takes over the running statistics of one edge of a wider layer."""
        channels = self.moving_mean.shape[0]
        block = slice(edge * channels, (edge + 1) * channels)
        self.moving_mean.assign(other.moving_mean.value[block])
        self.moving_variance.assign(other.moving_variance.value[block])


def move_running_statistics(
    layers: Sequence[BatchNormalization],
    mean: tf.Tensor,
    variance: tf.Tensor,
    n: float | tf.Tensor,
) -> None:
    """Moves running statistics towards a batch's.

    Args:
      layers: whose statistics are moved, all in one go.
      mean: of the channels of all layers, one layer after the other.
      variance: biased, likewise.
      n: values a channel had.
    """
    running = [layer.moving_mean for layer in layers]
    running += [layer.moving_variance for layer in layers]
    before = tf.concat([variable.value for variable in running], 0)
    batch = tf.concat([mean, variance * (n / (n - 1))], 0)
    after = before - (1 - MOMENTUM) * (before - batch)
    sizes = [variable.shape[0] for variable in running]
    for variable, part in zip(running, tf.split(after, sizes), strict=True):
        variable.assign(part)
