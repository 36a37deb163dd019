"""SpecAugment: bands of frequency and stretches of time say nothing.

Park et al., Interspeech 2019, by tensorflow-io's masks. Training alone sees
masked spectrograms and frames.
"""

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import tensorflow as tf

from emotion_nas_tf.data.batches import MASK_STREAM
from tfrecords_builder.errors import UsageError


@dataclass(frozen=True)
class SpecAugment:
    """One mask over frequency and one over time for every utterance.

    Widths are drawn from 0 to the greatest one, both included, then the place:
    as in the paper a mask of f among n positions begins at one of 0 to
    n - f - 1. Masked values are 0, at every scale of the front end what
    silence and padding are (not the mean, as in the paper, whose features
    have mean 0). A time mask falls into the utterance, not into the padding
    behind it.

    Attributes:
      frequency_mask: greatest width F, in features; 0 for no mask.
      time_mask: greatest width T, in columns; 0 for no mask.
      seed: of the training.
    """

    frequency_mask: int
    time_mask: int
    seed: int

    def check(
        self, num_features: int, num_columns: int, prefix: str = ""
    ) -> None:
        """Looks whether these masks can be drawn.

        Args:
          num_features: of a column.
          num_columns: of the longest utterance.
          prefix: of the flags that asked for them.

        Raises:
          UsageError: when a mask could cover a whole axis.
        """
        for flag, width, size in (
            ("frequency_mask", self.frequency_mask, num_features),
            ("time_mask", self.time_mask, num_columns),
        ):
            if width >= size:
                raise UsageError(
                    f"--{prefix}{flag}={width} could silence all {size} "
                    "positions of an utterance. Give at most "
                    f"{size - 1}."
                )

    def of_epoch(self, epoch: int) -> Callable[[np.ndarray], np.ndarray]:
        """What masks the batches of an epoch, one after the other.

        Draws are a pure function of seed and epoch, and of the batches' order.

        Args:
          epoch: from 0.

        Returns:
          A function from (batch, frequency, time, 1) to the same, masked.
        """
        state = np.random.SeedSequence([self.seed, epoch, MASK_STREAM])
        seed = int(state.generate_state(1)[0])

        # One graph for utterances of every length: another would begin its
        # draws anew.
        shape = tf.TensorSpec((None, None, None, 1), tf.float32)

        @tf.function(autograph=False, input_signature=[shape])
        def mask(features: tf.Tensor) -> tf.Tensor:
            # tensorflow-io draws with stateful operations. In a graph of its
            # own, seeded while it is traced, they start anew: the seed is this
            # graph's alone. One utterance after the other, so that each draw
            # belongs to the same one in every run.
            tf.random.set_seed(seed)
            return tf.map_fn(self._mask, features, parallel_iterations=1)

        return lambda features: mask(features).numpy()

    def _mask(self, features: tf.Tensor) -> tf.Tensor:
        """Masks one utterance, (frequency, time, 1)."""
        audio = _tensorflow_io_audio()
        # Time first, as tensorflow-io has it. Its widths stay below `param`.
        x = tf.transpose(features[..., 0])
        if self.frequency_mask:
            x = audio.freq_mask(x, self.frequency_mask + 1)
        if self.time_mask:
            sounding = tf.where(tf.reduce_any(features[..., 0] != 0, 0))
            length = tf.reduce_max(tf.concat([sounding[:, 0] + 1, [1]], 0))
            length = tf.cast(length, tf.int32)
            param = tf.minimum(self.time_mask + 1, length)
            x = tf.concat([audio.time_mask(x[:length], param), x[length:]], 0)
        return tf.reshape(tf.transpose(x), tf.shape(features))


@dataclass(frozen=True)
class SequenceMasks:
    """The same for features over time, in utterances of different lengths.

    Masked values are the features' means over the training speakers, as in
    the paper: 0 lies far from all frames of log-mel features.

    Attributes:
      masks: their widths, in features of a frame and in frames.
      mean: (d,) of the features.
    """

    masks: SpecAugment
    mean: np.ndarray

    def of_epoch(
        self, epoch: int
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """See `SpecAugment.of_epoch`.

        Args:
          epoch: from 0.

        Returns:
          A function from features, (batch, frames, d), and lengths, (batch,)
          real frames, to the features, masked; padding stays 0.
        """
        mask = self.masks.of_epoch(epoch)
        mean = self.mean.astype(np.float32)

        def change(features: np.ndarray, lengths: np.ndarray) -> np.ndarray:
            _, num_frames, size = features.shape
            real = np.arange(num_frames) < lengths[:, None]
            # Masks are drawn into ones: to them 0 is silence, here no frame.
            ones = np.repeat(real[:, None, :, None], size, 1)
            heard = mask(ones.astype(np.float32))[..., 0].transpose(0, 2, 1)
            gone = real[..., None] & (heard == 0)
            return np.where(gone, mean, features)

        return change


@functools.cache
def _tensorflow_io_audio() -> ModuleType:
    # Its compiled parts are of an older TensorFlow and do not load; it warns
    # so. The masks are plain TensorFlow.
    with warnings.catch_warnings():
        for message in (
            "unable to load libtensorflow_io_plugins",
            "file system plugins are not loaded",
        ):
            warnings.filterwarnings("ignore", message)
        from tensorflow_io import audio
    return audio
