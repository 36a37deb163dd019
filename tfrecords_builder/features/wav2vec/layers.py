"""The block that wav2vec 1.0 consists of.

x -> convolution over time -> group norm (one group) -> activation
"""

import keras
import tensorflow as tf

# torch.nn.GroupNorm's.
EPSILON = 1e-5
PADDINGS = ("valid", "replicate", "zero")
_ACTIVATIONS = {
    "relu": tf.nn.relu,
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
}


class ConvolutionBlock(keras.layers.Layer):
    """Convolution over time, group norm over all frames, activation.

    Input: `(batch, frames, channels)` float32; output the same with
    `(frames - kernel_size) // strides + 1` frames, or, causally padded,
    `(frames - 1) // strides + 1`.

    The norm takes mean and variance of an utterance's whole time and all
    channels: a frame depends on every other one, so padding an utterance or
    cutting it into pieces changes all its frames.

    Args:
      channels: of the output.
      kernel_size: frames that one output frame sees.
      strides: frames between two of them.
      padding: on the left, so that the block is causal: `replicate` the first
        frame, with `zero`s, or not at all (`valid`).
      use_bias: of the convolution.
      affine: scale and offset after the norm, one a channel.
      activation: `relu` or `gelu`.
      **kwargs: `keras.layers.Layer`'s; `dtype` is always float32.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        strides: int,
        padding: str = "valid",
        use_bias: bool = False,
        affine: bool = True,
        activation: str = "relu",
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if padding not in PADDINGS:
            raise ValueError(
                f"padding must be one of {PADDINGS}. Received: {padding!r}"
            )
        self.channels, self.kernel_size = channels, kernel_size
        self.strides, self.padding = strides, padding
        self.use_bias, self.affine = use_bias, affine
        self.activation = activation

    def build(self, input_shape: tuple) -> None:
        """Makes the weights; the kernel is (time, in, out)."""
        size = (self.kernel_size, input_shape[-1], self.channels)
        self.kernel = self.add_weight(name="kernel", shape=size)
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.channels,), initializer="zeros"
            )
        if self.affine:
            self.scale = self.add_weight(
                name="scale", shape=(self.channels,), initializer="ones"
            )
            self.offset = self.add_weight(
                name="offset", shape=(self.channels,), initializer="zeros"
            )
        self.built = True

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """See the class."""
        x = self.convolve(x)
        mean, variance = tf.nn.moments(x, (1, 2), keepdims=True)
        return self.activate(x, *self.scale_and_offset(mean, variance))

    def convolve(self, x: tf.Tensor) -> tf.Tensor:
        """Pads and convolves."""
        if self.padding != "valid" and self.kernel_size > 1:
            filling = x[:, :1]
            if self.padding == "zero":
                filling = tf.zeros_like(filling)
            filling = tf.repeat(filling, self.kernel_size - 1, axis=1)
            x = tf.concat([filling, x], axis=1)
        x = tf.nn.conv1d(x, self.kernel, self.strides, "VALID")
        return x + self.bias if self.use_bias else x

    def scale_and_offset(
        self, mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Factor and summand that are the whole group norm."""
        scale = tf.math.rsqrt(variance + EPSILON)
        if not self.affine:
            return scale, -mean * scale
        scale = scale * self.scale
        return scale, self.offset - mean * scale

    def activate(
        self, x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor
    ) -> tf.Tensor:
        """Norm and activation."""
        return _ACTIVATIONS[self.activation](x * scale + offset)


class PredictionHead(keras.layers.Layer):
    """Predicts z some frames ahead from c, by one matrix a step.

    Input: c, `(batch, frames, c_size)`. Output:
    `(batch, frames, steps, z_size)`.

    Args:
      steps: how many.
      z_size: channels of z.
      **kwargs: `keras.layers.Layer`'s.
    """

    def __init__(self, steps: int, z_size: int, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.steps, self.z_size = steps, z_size

    def build(self, input_shape: tuple) -> None:
        """Makes the weights; the steps share one bias."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.steps, self.z_size)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.z_size,), initializer="zeros"
        )
        self.built = True

    def call(self, c: tf.Tensor) -> tf.Tensor:
        """See the class."""
        c_size = self.kernel.shape[0]
        matrix = tf.reshape(self.kernel, (c_size, self.steps * self.z_size))
        # Rank 2, because products of higher rank are slower.
        flat = tf.reshape(c, (-1, c_size)) @ matrix
        shape = tf.shape(c)
        steps = tf.reshape(flat, (shape[0], shape[1], self.steps, self.z_size))
        return steps + self.bias
