"""wav2vec 1.0: waveforms to features (Schneider et al. 2019).

waveform -> encoder -> z -> aggregator -> c      (-> predictions of z)
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.layers import (
    ConvolutionBlock,
    PredictionHead,
)
from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings


@dataclasses.dataclass(frozen=True)
class NamedWeight:
    """One variable under the name and in the layout that fairseq gives it.

    Attributes:
      name: in fairseq's state dict.
      variable: ours.
      torch_shape: of fairseq's array.
      axes: of fairseq's array (without axes of size 1), in our order.
    """

    name: str
    variable: keras.Variable
    torch_shape: tuple[int, ...]
    axes: tuple[int, ...]

    def load(self, array: np.ndarray) -> None:
        """Sets the variable to fairseq's array.

        Raises:
          UsageError: when it has another shape.
        """
        if array.shape != self.torch_shape:
            raise UsageError(
                f"its {self.name} has the shape {array.shape}; the settings "
                f"ask for {self.torch_shape}."
            )
        sizes = [
            self.variable.shape[self.axes.index(i)]
            for i in range(len(self.axes))
        ]
        self.variable.assign(array.reshape(sizes).transpose(self.axes))

    def to_torch(self) -> np.ndarray:
        """The inverse of `load`: float32 in fairseq's layout."""
        value = np.asarray(self.variable)
        return value.transpose(np.argsort(self.axes)).reshape(self.torch_shape)


class Wav2Vec(keras.Model):
    """Input: `(batch, samples)` float32, 16 kHz, not normalised. Output: c.

    c is `(batch, frames, c_size)`, a frame every 10 ms at the default
    settings. An utterance must come alone or among utterances of its own
    length: padding changes every frame through the group norm.

    Args:
      settings: the network's shape.
      prediction_head: make the matrices that pretraining needs, too.
      **kwargs: `keras.Model`'s.
    """

    def __init__(
        self,
        settings: Wav2VecSettings,
        prediction_head: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = settings
        self.encoder = [
            ConvolutionBlock(
                *layer,
                affine=settings.affine_norm,
                activation=settings.activation,
                name=f"encoder_{index}",
            )
            for index, layer in enumerate(settings.encoder)
        ]
        self.aggregator = [
            ConvolutionBlock(
                *layer,
                padding="zero" if settings.aggregator_zero_pad else "replicate",
                use_bias=settings.aggregator_bias,
                affine=settings.affine_norm,
                activation=settings.activation,
                name=f"aggregator_{index}",
            )
            for index, layer in enumerate(settings.aggregator)
        ]
        sizes = [settings.z_size, *(layer[0] for layer in settings.aggregator)]
        # fairseq has a projection exactly where a sum needs one.
        self.projections = [
            keras.layers.Dense(out_size, use_bias=False, name=f"skip_{index}")
            if settings.skip_connections_aggregator and in_size != out_size
            else None
            for index, (in_size, out_size) in enumerate(
                itertools.pairwise(sizes)
            )
        ]
        self.head = (
            PredictionHead(settings.prediction_steps, settings.z_size)
            if prediction_head
            else None
        )
        self._build_weights()

    def call(self, waveform: tf.Tensor) -> tf.Tensor:
        """c of a waveform."""
        return self.aggregate(self.encode(waveform))

    def encode(self, waveform: tf.Tensor) -> tf.Tensor:
        """z of a waveform: `(batch, frames, z_size)`."""
        *_, last = self.encoder_outputs(waveform)
        return self.compress(last)

    def encoder_outputs(self, waveform: tf.Tensor) -> Iterator[tf.Tensor]:
        """Every encoder layer's output, `(batch, frames, channels)`."""
        x, settings, width = waveform[..., None], self.settings, 1
        for block in self.encoder:
            before, x = x, block(x)
            # Not the tensors' shapes, which a graph does not always know.
            if settings.skip_connections_encoder and width == block.channels:
                # Frames that the stride keeps, as many as there are.
                num_frames = tf.shape(x)[1]
                step = tf.shape(before)[1] // num_frames
                kept = before[:, ::step][:, :num_frames]
                x = (x + kept) * math.sqrt(settings.residual_scale)
            width = block.channels
            yield x

    def compress(self, x: tf.Tensor) -> tf.Tensor:
        """z of the last encoder layer's output."""
        return tf.math.log1p(tf.abs(x)) if self.settings.log_compression else x

    def aggregate(self, z: tf.Tensor) -> tf.Tensor:
        """c of z: `(batch, frames, c_size)`."""
        x = z
        for block, projection in zip(
            self.aggregator, self.projections, strict=True
        ):
            before, x = x, block(x)
            if self.settings.skip_connections_aggregator:
                if projection is not None:
                    before = projection(before)
                x = (x + before) * math.sqrt(self.settings.residual_scale)
        return x

    def named_weights(self) -> list[NamedWeight]:
        """Every variable with its name in fairseq's state dict."""
        named = []
        for index, block in enumerate(self.encoder):
            prefix = f"feature_extractor.conv_layers.{index}"
            named += _block_weights(block, f"{prefix}.0", f"{prefix}.2")
        for index, block in enumerate(self.aggregator):
            prefix = f"feature_aggregator.conv_layers.{index}"
            named += _block_weights(block, f"{prefix}.1", f"{prefix}.3")
            if (projection := self.projections[index]) is not None:
                kernel = projection.kernel
                named.append(
                    NamedWeight(
                        f"feature_aggregator.residual_proj.{index}.weight",
                        kernel,
                        (*kernel.shape[::-1], 1),
                        (1, 0),
                    )
                )
        if self.head is not None:
            prefix = "wav2vec_predictions.project_to_steps"
            c_size, steps, z_size = self.head.kernel.shape
            named += [
                NamedWeight(
                    f"{prefix}.weight",
                    self.head.kernel,
                    (c_size, z_size, 1, steps),
                    (0, 2, 1),
                ),
                _vector(f"{prefix}.bias", self.head.bias),
            ]
        return named

    def _build_weights(self):
        size = 1
        for block in self.encoder:
            block.build((None, None, size))
            size = block.channels
        for block, projection in zip(
            self.aggregator, self.projections, strict=True
        ):
            block.build((None, None, size))
            if projection is not None:
                projection.build((None, None, size))
            size = block.channels
        if self.head is not None:
            self.head.build((None, None, size))
        self.built = True


def _block_weights(
    block: ConvolutionBlock, convolution: str, norm: str
) -> list[NamedWeight]:
    kernel = block.kernel
    weights = [
        NamedWeight(
            f"{convolution}.weight", kernel, kernel.shape[::-1], (2, 1, 0)
        )
    ]
    if block.use_bias:
        weights.append(_vector(f"{convolution}.bias", block.bias))
    if block.affine:
        weights.append(_vector(f"{norm}.weight", block.scale))
        weights.append(_vector(f"{norm}.bias", block.offset))
    return weights


def _vector(name: str, variable: keras.Variable) -> NamedWeight:
    return NamedWeight(name, variable, variable.shape, (0,))
