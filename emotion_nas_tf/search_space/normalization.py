"""Batch normalisation as the published search uses it."""

import keras
import tensorflow as tf

EPSILON = 1e-5
MOMENTUM = 0.9


class BatchNormalization(keras.layers.Layer):
    """Normalises each channel over batch, frequency and time.

    Differs from `keras.layers.BatchNormalization` in three ways that the
    published numbers need: the running variance takes the unbiased estimate
    (n / (n - 1)), `affine=False` leaves out scale and offset, and the caller
    may hand in a `scale`, which makes the weighting by alpha part of the same
    multiply-add.

    Args:
      affine: learn a scale and an offset.
    """

    def __init__(self, affine: bool, **kwargs):
        super().__init__(**kwargs)
        self.affine = affine

    def build(self, input_shape: tuple) -> None:
        """Creates the running statistics, and scale and offset if affine."""
        channels = (input_shape[-1],)
        if self.affine:
            self.gamma = self.add_weight(
                name="gamma", shape=channels, initializer="ones"
            )
            self.beta = self.add_weight(
                name="beta", shape=channels, initializer="zeros"
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=channels,
            initializer="zeros",
            trainable=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=channels,
            initializer="ones",
            trainable=False,
        )

    def call(
        self,
        x: tf.Tensor,
        scale: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Normalises `x` (batch, frequency, time, channels).

        Args:
          x: the activations. When they have fewer channels than the layer,
            several edges share them, each with running statistics of its own:
            the batch's result is returned once, the running one per edge.
          scale: (channels,) factors in place of gamma, for layers that are
            not affine.
          training: normalise by the batch and update the running statistics.

        Returns:
          As `x`; with the layer's channels when not training.
        """
        edges = self.moving_mean.shape[0] // x.shape[-1]
        if self.affine:
            gamma, beta = self.gamma.value, self.beta.value
        else:
            channels = x.shape[-1] * (1 if training else edges)
            beta = tf.zeros(channels, x.dtype)
            gamma = beta + 1 if scale is None else scale
        if not training:
            x = tf.tile(x, [1, 1, 1, edges]) if edges > 1 else x
            factor = gamma * tf.math.rsqrt(self.moving_variance.value + EPSILON)
            return x * factor + (beta - self.moving_mean.value * factor)
        if x.dtype == tf.float64:
            y, mean, variance = _normalize(x, gamma, beta)
        else:
            # One fused kernel, forward and backward; its variance is the
            # unbiased one.
            y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                x, gamma, beta, epsilon=EPSILON, is_training=True
            )
        for running, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            running.assign(
                MOMENTUM * running.value
                + (1 - MOMENTUM) * tf.tile(tf.stop_gradient(batch), [edges])
            )
        return y

    def inherit(self, other: "BatchNormalization", edge: int = 0) -> None:
        """Takes over the running statistics of one edge of a wider layer."""
        channels = self.moving_mean.shape[0]
        block = slice(edge * channels, (edge + 1) * channels)
        self.moving_mean.assign(other.moving_mean.value[block])
        self.moving_variance.assign(other.moving_variance.value[block])


def _normalize(x, gamma, beta):
    """The same for float64, which the fused kernel does not take."""
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    factor = gamma * tf.math.rsqrt(variance + EPSILON)
    count = tf.cast(tf.size(x) / x.shape[-1], x.dtype)
    return (
        (x - mean) * factor + beta,
        mean,
        variance * count / (count - 1),
    )
