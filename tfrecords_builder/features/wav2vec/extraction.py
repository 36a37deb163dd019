"""Features of whole utterances, fast and in little memory.

    waveform -> [layers 0 and 1] -> [2] -> ... -> [last] -> z -> c
                 pieces of 1,024 frames each

The same numbers as the model's. The first encoder layers have a hundred
times the data of the last: 40 s of audio are 262 MB after layer 0, and a
plain forward pass holds several of those. Here a layer is computed in pieces
that stay in the processor's cache, norm and activation of the layer before
being done on the piece that is needed next; of whole utterances, only the
convolutions' results are kept, and of layer 0 not even those.
"""

import functools

import numpy as np
import tensorflow as tf

from tfrecords_builder.features.wav2vec.layers import ConvolutionBlock
from tfrecords_builder.features.wav2vec.model import Wav2Vec

OUTPUTS = ("c", "z")
# Output frames of a piece: 2 MB at 512 channels.
_PIECE_FRAMES = 1_024


class Extractor:
    """z or c of one utterance at a time.

    Args:
      model: the network.
      output: `c` (aggregator, what the paper's kind of work uses) or `z`.
    """

    def __init__(self, model: Wav2Vec, output: str = "c"):
        if output not in OUTPUTS:
            raise ValueError(
                f"output must be one of {OUTPUTS}. Received: {output!r}"
            )
        self._model, self._output = model, output
        self._is_plain = (
            len(model.encoder) < 2 or model.settings.skip_connections_encoder
        )
        matrix = tf.TensorSpec((None, None))
        vector = tf.TensorSpec((None,))
        self._first = tf.function(
            self._first_two,
            input_signature=(tf.TensorSpec((None,)), vector, vector),
            autograph=False,
        )
        # TensorFlow counts traces by a function's code: layers that shared it
        # would look like one function that is traced anew for every layer.
        self._next = [
            tf.function(
                functools.partial(self._one, index),
                input_signature=(matrix, vector, vector),
                autograph=False,
            )
            for index in range(2, len(model.encoder))
        ]
        self._end = tf.function(
            self._last,
            input_signature=(matrix, vector, vector),
            autograph=False,
        )
        self._whole = tf.function(
            self._all,
            input_signature=(tf.TensorSpec((None,)),),
            autograph=False,
        )

    @property
    def model(self) -> Wav2Vec:
        """The network."""
        return self._model

    @property
    def size(self) -> int:
        """Channels of the features."""
        settings = self._model.settings
        return settings.c_size if self._output == "c" else settings.z_size

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Features of an utterance, which must not be padded.

        Args:
          waveform: (samples,) float32 in [-1, 1], 16 kHz, not normalised. One
            shorter than a frame's receptive field is zero-padded to it.

        Returns:
          (frames, channels) float32.
        """
        shortest = self._model.settings.receptive_field_samples
        waveform = np.asarray(waveform, np.float32)
        if len(waveform) < shortest:
            waveform = np.pad(waveform, (0, shortest - len(waveform)))
        if self._is_plain:
            return self._whole(waveform).numpy()
        blocks = self._model.encoder
        norm = _norm(blocks[0], *_first_moments(blocks[0], waveform))
        x, moments = _in_pieces(
            lambda piece: self._first(piece, *norm), waveform, blocks[:2]
        )
        for step, block, before in zip(
            self._next, blocks[2:], blocks[1:], strict=False
        ):
            norm = _norm(before, *moments)
            x, moments = _in_pieces(
                lambda piece, f=step, n=norm: f(piece, *n), x, [block]
            )
        return self._end(x, *_norm(blocks[-1], *moments)).numpy()

    def _first_two(self, samples, scale, offset):
        first, second, *_ = self._model.encoder
        x = first.convolve(samples[None, :, None])
        return _with_moments(second.convolve(first.activate(x, scale, offset)))

    def _one(self, index, x, scale, offset):
        before, block = self._model.encoder[index - 1 : index + 1]
        return _with_moments(
            block.convolve(before.activate(x[None], scale, offset))
        )

    def _last(self, x, scale, offset):
        x = self._model.encoder[-1].activate(x[None], scale, offset)
        z = self._model.compress(x)
        return (self._model.aggregate(z) if self._output == "c" else z)[0]

    def _all(self, waveform):
        z = self._model.encode(waveform[None])
        return (self._model.aggregate(z) if self._output == "c" else z)[0]


def _with_moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    return x[0], *tf.nn.moments(x[0], (0, 1))


def _in_pieces(
    step, x: np.ndarray, blocks: list[ConvolutionBlock]
) -> tuple[np.ndarray, tuple[float, float]]:
    """A layer over (frames, ...), piece by piece; mean and variance too.

    Args:
      step: an input piece to its output, the output's mean and variance.
      x: the whole input.
      blocks: the convolutions that `step` consists of.
    """
    field, hop, num_frames = 1, 1, len(x)
    for block in blocks:
        field += (block.kernel_size - 1) * hop
        hop *= block.strides
        num_frames = (num_frames - block.kernel_size) // block.strides + 1
    result = np.empty((num_frames, blocks[-1].channels), np.float32)
    counts, means, variances = [], [], []
    for start in range(0, num_frames, _PIECE_FRAMES):
        stop = min(start + _PIECE_FRAMES, num_frames)
        piece = x[start * hop : (stop - 1) * hop + field]
        result[start:stop], mean, variance = step(piece)
        counts.append(stop - start)
        means.append(float(mean))
        variances.append(float(variance))
    # Mean and variance of a whole from those of its parts, in double
    # precision.
    mean = np.average(means, weights=counts)
    spread = np.square(np.array(means) - mean)
    variance = np.average(np.array(variances) + spread, weights=counts)
    return result, (mean, variance)


def _first_moments(
    block: ConvolutionBlock, waveform: np.ndarray
) -> tuple[float, float]:
    """Mean and variance of layer 0's result, without computing it.

    The result is linear in windows of a few samples, so the windows' mean
    and second moments decide; in double precision.
    """
    kernel = np.asarray(block.kernel, np.float64)[:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(
        waveform, block.kernel_size
    )[:: block.strides].astype(np.float64)
    second_moments = windows.T @ windows / len(windows)
    mean = (windows.mean(0) @ kernel).mean()
    square = np.einsum("kc,kl,lc->c", kernel, second_moments, kernel).mean()
    return mean, max(square - mean**2, 0.0)


def _norm(
    block: ConvolutionBlock, mean: float, variance: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Factor and summand of each channel."""
    one = tf.ones(block.channels)
    scale, offset = block.scale_and_offset(
        tf.constant(mean, tf.float32), tf.constant(variance, tf.float32)
    )
    return scale * one, offset * one
