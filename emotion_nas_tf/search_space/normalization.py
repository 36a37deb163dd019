"""Batch normalisation as the published search uses it.

The layer, and the mathematics behind it for those who fold it into a larger
custom gradient.
"""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise

EPSILON = 1e-5
MOMENTUM = 0.9


def channel_sums(x: tf.Tensor) -> tf.Tensor:
    """Sums (..., C) over all but the channels: (C,), at least float32."""
    x = elementwise.wide(tf.reshape(x, (-1, x.shape[-1])))
    if x.dtype != tf.float32 or tf.config.list_physical_devices("GPU"):
        return tf.reduce_sum(x, 0)
    # On a CPU a product with ones adds up several times quicker.
    rows = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
    return tf.squeeze(tf.fill((1, rows), 1.0) @ x, 0)


def sums_of_pairs(pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums complex (..., C) over all but C: real and imaginary parts."""
    channels = pairs.shape[-1]
    pairs = tf.bitcast(pairs, pairs.dtype.real_dtype)
    sums = channel_sums(tf.reshape(pairs, (-1, 2 * channels)))
    return tuple(tf.unstack(tf.reshape(sums, (channels, 2)), axis=1))


def moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of each channel of (..., C): (C,) each."""
    n = values_per_channel(x)
    # A mean of some of the values makes the difference of squares safe.
    origin = channel_sums(x[:1]) / values_per_channel(x[:1])
    sums, squares = sums_of_pairs(elementwise.deviations(x, origin))
    offset = sums / n
    variance = tf.maximum(squares / n - tf.square(offset), 0.0)
    return origin + offset, variance


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
    variance: tf.Tensor,
    gamma: tf.Tensor,
    rectified_beta: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Gradients of gamma * (x - mean) / sqrt(variance + EPSILON) + beta.

    Args:
      g: gradient of the result, (..., C).
      x: (..., C), of which `mean` and `variance` are the moments.
      mean: (C,).
      variance: (C,), biased.
      gamma: (C,).
      rectified_beta: beta, (C,), where `g` is the gradient of the result's
        ReLU.

    Returns:
      Gradients of x, gamma and beta.
    """
    if rectified_beta is None:
        sums, products = sums_of_pairs(
            elementwise.gradient_products(g, x, mean)
        )
        return gradient_of_sums(g, x, mean, variance, gamma, sums, products)
    factor = gamma * inverse_deviation(variance)
    shift = rectified_beta - mean * factor
    sums, products = sums_of_pairs(
        elementwise.rectified_gradient_products(g, x, factor, shift, mean)
    )
    slope, constant, g_gamma = _coefficients(
        x, mean, variance, factor, sums, products
    )
    dx = elementwise.rectified_combination(g, x, factor, shift, slope, constant)
    return dx, g_gamma, sums


def gradient_of_sums(
    g: tf.Tensor,
    x: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    gamma: tf.Tensor,
    sums: tf.Tensor,
    products: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """`normalization_gradient` for those who have its two sums.

    Args:
      g: gradient of the result, (..., C).
      x: (..., C), of which `mean` and `variance` are the moments.
      mean: (C,).
      variance: (C,), biased.
      gamma: (C,).
      sums: of g, (C,).
      products: the sums of g * (x - mean), (C,).

    Returns:
      Gradients of x, gamma and beta.
    """
    factor = gamma * inverse_deviation(variance)
    slope, constant, g_gamma = _coefficients(
        x, mean, variance, factor, sums, products
    )
    dx = elementwise.linear_combination(constant, [factor, slope], [g, x])
    return dx, g_gamma, sums


def _coefficients(x, mean, variance, factor, sums, products):
    """Of x and 1 in the gradient of x; the gradient of gamma."""
    inverse = inverse_deviation(variance)
    products *= inverse
    n = values_per_channel(x)
    slope = -factor * inverse * products / n
    constant = -factor * sums / n - slope * mean
    return slope, constant, products


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
    factor = gamma * inverse_deviation(variance)
    y = elementwise.affine(x, factor, beta - mean * factor)

    def gradient(g, *_):
        return normalization_gradient(g, x, mean, variance, gamma)

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
        self.update(mean, variance, values_per_channel(x))
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

    def update(self, mean: tf.Tensor, variance: tf.Tensor, n) -> None:
        """Moves the running statistics towards a batch's.

        Args:
          mean: (C,), or fewer when several edges share the activations: each
            keeps running statistics of its own.
          variance: biased, likewise.
          n: values a channel had.
        """
        for running, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * (n / (n - 1))),
        ):
            if (edges := running.shape[0] // batch.shape[0]) > 1:
                batch = tf.tile(batch, [edges])
            step = (1 - MOMENTUM) * (running.value - batch)
            running.assign_sub(tf.stop_gradient(step))

    def inherit(self, other: "BatchNormalization", edge: int = 0) -> None:
        """Takes over the running statistics of one edge of a wider layer."""
        channels = self.moving_mean.shape[0]
        block = slice(edge * channels, (edge + 1) * channels)
        self.moving_mean.assign(other.moving_mean.value[block])
        self.moving_variance.assign(other.moving_variance.value[block])
