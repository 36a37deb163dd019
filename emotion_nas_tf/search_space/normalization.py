"""Batch normalisation as the published search uses it.

The layer, and the mathematics behind it for those who fold it into a larger
custom gradient.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.primitives import on_gpu

EPSILON = 1e-5
MOMENTUM = 0.9


def channel_sums(x: tf.Tensor) -> tf.Tensor:
    """Sums (..., C) over all but the channels: (C,), at least float32."""
    x = elementwise.wide(x)
    if on_gpu():
        return tf.reduce_sum(x, list(range(x.shape.rank - 1)))
    # On a CPU a bias' gradient, which is this sum, adds up quicker.
    return tf.raw_ops.BiasAddGrad(out_backprop=x)


def sums_of_pairs(*pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums complex (..., C) over all but C: real and imaginary parts.

    Of several tensors the channels stand one tensor after the other.
    """
    sums = []
    for pair in pairs:
        values = tf.bitcast(pair, pair.dtype.real_dtype)
        sums.append(channel_sums(tf.reshape(values, (-1, 2 * pair.shape[-1]))))
    return tuple(tf.unstack(tf.reshape(joined(sums), (-1, 2)), axis=1))


def joined(vectors: Sequence[tf.Tensor]) -> tf.Tensor:
    """The vectors one after the other."""
    return tf.concat(vectors, 0) if len(vectors) > 1 else vectors[0]


def moments(*tensors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of each channel of (..., C): (C,) each.

    Of several tensors, all of which have as many values a channel, the
    channels stand one tensor after the other.
    """
    pairs, origins = zip(
        *(elementwise.deviations(x) for x in tensors), strict=True
    )
    n = values_per_channel(tensors[0])
    sums, squares = sums_of_pairs(*pairs)
    offset = sums / n
    variance = tf.maximum(squares / n - tf.square(offset), 0.0)
    return joined(origins) + offset, variance


def values_per_channel(x: tf.Tensor) -> float | tf.Tensor:
    """How many values of (..., C) a channel has."""
    if (size := x.shape.num_elements()) is not None:
        return float(size // x.shape[-1])
    # Half precision counts no further than 2048.
    size = tf.size(x) // x.shape[-1]
    return tf.cast(size, elementwise.wide_dtype(x.dtype))


def inverse_deviation(variance: tf.Tensor) -> tf.Tensor:
    """1 / sqrt(variance + EPSILON)."""
    return tf.math.rsqrt(variance + EPSILON)


def normalization_gradient(
    g: tf.Tensor,
    x: tf.Tensor,
    mean: tf.Tensor,
    inverse: tf.Tensor,
    gamma: tf.Tensor,
    rectified_beta: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of gamma * (x - mean) * inverse + beta.

    Args:
      g: gradient of the result, (..., C).
      x: (..., C), of which `mean` and `inverse` come.
      mean: (C,).
      inverse: `inverse_deviation` of the biased variance, (C,).
      gamma: (C,).
      rectified_beta: beta, (C,), where `g` is the gradient of the result's
        ReLU.

    Returns:
      Gradients of x, gamma and beta.
    """
    factor = gamma * inverse
    if rectified_beta is None:
        pairs = elementwise.gradient_products(g, x, mean)
    else:
        line = factor, rectified_beta - mean * factor
        pairs = elementwise.rectified_gradient_products(g, x, *line, mean)
    sums, products = sums_of_pairs(pairs)
    products *= inverse
    slope, constant = coefficients(
        sums, products, mean, inverse, factor, values_per_channel(x)
    )
    if rectified_beta is None:
        g_x = elementwise.linear_combination(constant, [factor, slope], [g, x])
    else:
        g_x = elementwise.rectified_combination(g, x, *line, slope, constant)
    return g_x, products, sums


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


@tf.custom_gradient
def normalize(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor):
    """Normalises by the batch.

    Args:
      x: (..., C).
      gamma: (C,) scale.
      beta: (C,) offset.

    Returns:
      The result, and the mean and biased variance that made it, which no
      gradient flows through.
    """
    mean, variance = moments(x)
    inverse = inverse_deviation(variance)
    factor = gamma * inverse
    y = elementwise.affine(x, factor, beta - mean * factor)

    def gradient(g, *_):
        return normalization_gradient(g, x, mean, inverse, gamma)

    return (y, mean, variance), gradient


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

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalises `x` (batch, frequency, time, channels).

        Args:
          x: the activations.
          training: normalise by the batch and update the running statistics.
        """
        if not training:
            factor, shift = self.running_affine()
            return elementwise.scale_and_shift(x, factor, shift)
        y, mean, variance = normalize(x, *self.scale_and_offset())
        move_running_statistics([self], mean, variance, values_per_channel(x))
        return y

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
