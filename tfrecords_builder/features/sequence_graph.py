"""Sequence features as TensorFlow operations, to be part of a served model.

    waveform -> frames -> groups of frames averaged -> cut as the records are

The numbers of `sequence.frame_extractor` and `pooling.pool`, of which records
are built, for batches of utterances of different lengths.
"""

from collections.abc import Callable

import tensorflow as tf

from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.features.sequence import LOG_MEL
from tfrecords_builder.features.spectrogram import Spectrogram
from tfrecords_builder.features.wav2vec.model import Wav2Vec

# (batch, samples) float32 and (batch,) int32 real samples of each, to
# (batch, frames, size) and (batch,) real frames.
GraphFrames = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

# Longer ones are cut before encoding, which needs memory in proportion. The
# longest turn of IEMOCAP lasts half as long.
LONGEST_SECONDS = 60.0


class SequenceGraph:
    """Waveforms to a record's `sequence` and `sequence_length`.

    An utterance of more groups than the records' longest is cut to as many;
    of the encoders that hear whole utterances, after encoding, up to
    `LONGEST_SECONDS`.

    Args:
      config: of the records.
      frames: the encoder, `LogMelGraph` or `Wav2VecGraph`.
      sample_rate_hz: of the waveforms.
    """

    def __init__(
        self,
        config: SequenceConfig,
        frames: "LogMelGraph | Wav2VecGraph",
        sample_rate_hz: int = 16_000,
    ):
        self.config = config
        self._frames = frames
        # One sample less than gives a group more than records hold.
        too_many = config.pool_frames * (config.num_frames + 1)
        self.heard_samples = max(
            frames.num_samples(too_many) - 1,
            round(LONGEST_SECONDS * sample_rate_hz)
            if frames.hears_whole_utterances
            else 0,
        )

    def __call__(
        self, waveform: tf.Tensor, num_samples: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See the class.

        Args:
          waveform: (batch, samples) float32, zeros after the real ones.
          num_samples: (batch,) int32: how many are real.

        Returns:
          (batch, groups, size), zeros for padding, and (batch,) real groups,
          at most `config.num_frames`.
        """
        waveform = waveform[:, : self.heard_samples]
        num_samples = tf.minimum(num_samples, tf.shape(waveform)[1])
        frames, num_frames = self._frames(waveform, num_samples)
        pooled = self._pool(frames, num_frames)
        groups = -(-num_frames // self.config.pool_frames)
        longest = self.config.num_frames
        return pooled[:, :longest], tf.minimum(groups, longest)

    def _pool(self, frames: tf.Tensor, num_frames: tf.Tensor) -> tf.Tensor:
        size = self.config.pool_frames
        real = tf.sequence_mask(num_frames, tf.shape(frames)[1])
        frames = tf.where(real[..., None], frames, tf.zeros_like(frames))
        missing = -tf.shape(frames)[1] % size
        frames = tf.pad(frames, ((0, 0), (0, missing), (0, 0)))
        shape = tf.shape(frames)
        groups = tf.reshape(
            frames, (shape[0], shape[1] // size, size, self.config.size)
        )
        return tf.reduce_mean(groups, 2)


class LogMelGraph:
    """`log_mel.LogMelFrames` for batches."""

    variables = ()
    hears_whole_utterances = False

    def __init__(self):
        self._front_end = Spectrogram(LOG_MEL)

    def num_samples(self, num_frames: int) -> int:
        """The fewest samples that give so many frames."""
        return LOG_MEL.window_samples + LOG_MEL.hop_samples * (num_frames - 1)

    def __call__(
        self, waveform: tf.Tensor, num_samples: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `GraphFrames`."""
        window, hop = LOG_MEL.window_samples, LOG_MEL.hop_samples

        def count(samples: tf.Tensor) -> tf.Tensor:
            # One shorter than a window is padded to it.
            return (tf.maximum(samples, window) - window) // hop + 1

        longest = count(tf.shape(waveform)[1])
        # Windows overlap and hops do not: a window is a few hops side by side.
        hops_a_window = -(-window // hop)
        num_hops = longest + hops_a_window - 1
        waveform = tf.pad(waveform, ((0, 0), (0, hops_a_window * hop)))
        hops = tf.reshape(waveform[:, : num_hops * hop], (-1, num_hops, hop))
        windows = tf.concat(
            [hops[:, i : i + longest] for i in range(hops_a_window)], -1
        )[..., :window]
        values = self._front_end.values(tf.reshape(windows, (-1, window)))
        return (
            tf.reshape(values, (-1, longest, LOG_MEL.num_features)),
            count(num_samples),
        )


class Wav2VecGraph:
    """`wav2vec.extraction.Extractor` for batches.

    Args:
      model: the network.
      output: `c` or `z`.
    """

    # The group norm is over all frames.
    hears_whole_utterances = True

    def __init__(self, model: Wav2Vec, output: str):
        self._model, self._output = model, output
        self.variables = model.variables

    def num_samples(self, num_frames: int) -> int:
        """The fewest samples that give so many frames."""
        settings = self._model.settings
        return (
            settings.receptive_field_samples
            + (num_frames - 1) * settings.hop_samples
        )

    def __call__(
        self, waveform: tf.Tensor, num_samples: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `GraphFrames`."""
        shortest = self._model.settings.receptive_field_samples
        num_samples = tf.maximum(num_samples, shortest)
        waveform = tf.pad(waveform, ((0, 0), (0, shortest)))
        num_frames = self._num_frames(num_samples)
        longest = tf.reduce_max(num_frames)

        def one(inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            samples, count = inputs
            frames = self._encode(samples[:count])
            return tf.pad(frames, ((0, longest - tf.shape(frames)[0]), (0, 0)))

        # One by one: beside longer ones, an utterance would be padded, which
        # changes all its frames.
        frames = tf.map_fn(
            one,
            (waveform, num_samples),
            fn_output_signature=tf.TensorSpec((None, self._size), tf.float32),
            parallel_iterations=1,
        )
        return frames, num_frames

    @property
    def _size(self) -> int:
        settings = self._model.settings
        return settings.c_size if self._output == "c" else settings.z_size

    def _encode(self, samples: tf.Tensor) -> tf.Tensor:
        z = self._model.encode(samples[None])
        return (self._model.aggregate(z) if self._output == "c" else z)[0]

    def _num_frames(self, num_samples: tf.Tensor) -> tf.Tensor:
        settings = self._model.settings
        for _, kernel, stride in settings.encoder:
            num_samples = (num_samples - kernel) // stride + 1
        if self._output == "c":
            for _, _, stride in settings.aggregator:
                num_samples = (num_samples - 1) // stride + 1
        return num_samples
