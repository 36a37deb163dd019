"""The spectrogram front end: waveforms to 140 x 140 (paper, section 3.2).

    waveform -> cut or pad to 8 s -> Hamming frames -> |DFT| -> scale -> pool

Records, training and the exported model all use this one layer.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfrecords_builder.config import SCALES, SpectrogramConfig


@keras.saving.register_keras_serializable(package="emotion_nas_tf")
class Spectrogram(keras.layers.Layer):
    """Spectrogram of fixed size, by a real DFT written as a matrix product.

    Input: `(batch, samples)` float32 waveforms in [-1, 1] at
    `config.sample_rate_hz`, any number of samples. Output:
    `(batch, num_features, num_columns)` float32, lowest frequency first.

    Frames are not centred: frame t starts at sample `t * hop_samples`. Log
    scales come out as `(decibels - floor_db) / 20`: the common logarithm of
    the amplitude over the floor's, 0 for silence and padding. The mel filter
    bank is Slaney's, librosa's default.

    A matrix product, because it is exported (SavedModel, LiteRT, ONNX)
    exactly, where FFT operations are not. Neither weights nor random numbers:
    equal waveforms give equal features.

    Args:
      config: geometry and scale.
      **kwargs: `keras.layers.Layer`'s; `dtype` is always float32.

    Raises:
      ValueError: for an unknown scale, or a DFT that is too short for the
        window or for the number of features.
    """

    def __init__(self, config: SpectrogramConfig, **kwargs):
        # Half precision would lose the quiet bins, whatever the policy.
        super().__init__(**{**kwargs, "dtype": "float32"})
        _check(config)
        self.config = config
        self._dft = dft_matrices(config)
        self._filter_bank = (
            mel_filter_bank(config) if config.scale == "log_mel" else None
        )

    def call(self, waveform: tf.Tensor) -> tf.Tensor:
        """See the class: `(batch, samples)` to `(batch, 140, 140)`."""
        values = self.values(self._frames(waveform))
        config = self.config
        columns = (-1, config.num_columns, config.pool_frames)
        values = tf.reshape(values, (*columns, config.num_features))
        return tf.transpose(tf.reduce_mean(values, axis=2), (0, 2, 1))

    def values(self, frames: tf.Tensor) -> tf.Tensor:
        """Before pooling: `(frames, window_samples)` to `(frames, bins)`."""
        power, config = self._power(frames), self.config
        if config.scale == "magnitude":
            return tf.sqrt(power)
        if self._filter_bank is not None:
            power = tf.matmul(power, self._filter_bank)
        decibels = _decibels(tf.maximum(power, 10 ** (config.floor_db / 10)))
        return (decibels - config.floor_db) / 20

    def _frames(self, waveform: tf.Tensor) -> tf.Tensor:
        """`(batch, samples)` to `(batch * num_frames, window_samples)`."""
        config = self.config
        # Frames overlap and hops do not: a frame is a few hops side by side.
        hops_per_frame = -(-config.window_samples // config.hop_samples)
        num_hops = config.num_frames + hops_per_frame - 1
        num_samples = num_hops * config.hop_samples
        # Cut before padding: nothing after the 8 s may leak into the frames
        # that reach beyond them.
        waveform = waveform[:, : config.num_samples]
        waveform = tf.pad(waveform, ((0, 0), (0, num_samples)))
        hops = tf.reshape(
            waveform[:, :num_samples], (-1, num_hops, config.hop_samples)
        )
        frames = tf.concat(
            [hops[:, i : i + config.num_frames] for i in range(hops_per_frame)],
            axis=-1,
        )[..., : config.window_samples]
        return tf.reshape(frames, (-1, config.window_samples))

    def _power(self, frames: tf.Tensor) -> tf.Tensor:
        """Squared amplitude: `(frames, window)` to `(frames, bins)`."""
        cosine, sine = self._dft
        return tf.square(tf.matmul(frames, cosine)) + tf.square(
            tf.matmul(frames, sine)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(batch, num_features, num_columns)`."""
        return (input_shape[0], *self.config.output_shape)

    def get_config(self) -> dict:
        """The constructor's arguments, as JSON."""
        return {
            **super().get_config(),
            "config": dataclasses.asdict(self.config),
        }

    @classmethod
    def from_config(cls, config: dict) -> "Spectrogram":
        """The layer that `get_config` describes."""
        config = dict(config)
        return cls(SpectrogramConfig(**config.pop("config")), **config)


def dft_matrices(config: SpectrogramConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine matrix of the windowed real DFT, each (window, bins).

    The Hamming window (periodic, as in librosa and SciPy's `get_window`) is
    folded in. Linear scales need the lowest `num_features` bins only, the
    mel scale all `dft_samples // 2 + 1`.
    """
    time = np.arange(config.window_samples)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * time / config.window_samples)
    # Whole turns are taken off as integers, exactly.
    turns = np.outer(time, np.arange(_num_bins(config))) % config.dft_samples
    angles = 2 * np.pi * turns / config.dft_samples
    return (
        (window[:, None] * np.cos(angles)).astype(np.float32),
        (window[:, None] * np.sin(angles)).astype(np.float32),
    )


def mel_filter_bank(config: SpectrogramConfig) -> np.ndarray:
    """Slaney's mel filter bank from 0 Hz to half the rate: (bins, bands)."""
    # Here, because linear scales do not need it and it is slow to import.
    import librosa

    return librosa.filters.mel(
        sr=config.sample_rate_hz,
        n_fft=config.dft_samples,
        n_mels=config.num_features,
        dtype=np.float32,
    ).T.copy()


def _num_bins(config: SpectrogramConfig) -> int:
    if config.scale == "log_mel":
        return config.dft_samples // 2 + 1
    return config.num_features


def _decibels(power: tf.Tensor) -> tf.Tensor:
    return tf.math.log(power) * float(10 / np.log(10))


def _check(config: SpectrogramConfig):
    if config.scale not in SCALES:
        raise ValueError(
            f"scale must be one of {SCALES}. Received: {config.scale!r}"
        )
    if config.dft_samples < config.window_samples:
        raise ValueError(
            "dft_samples must not be smaller than window_samples. Received: "
            f"{config.dft_samples} and {config.window_samples}"
        )
    num_bins = config.dft_samples // 2 + 1
    if num_bins < config.num_features:
        raise ValueError(
            f"A DFT of {config.dft_samples} samples has {num_bins} bins, fewer "
            f"than num_features={config.num_features}."
        )
