"""`logmel`: the spectrogram front end's frames, one after the other.

For the stream over time where no pretrained encoder is at hand. The windows
and mel bands of the front end's `paper` geometry, not pooled and not cut.
"""

import numpy as np

from tfrecords_builder.features.sequence import LOG_MEL as CONFIG
from tfrecords_builder.features.spectrogram import (
    dft_matrices,
    mel_filter_bank,
)


class LogMelFrames:
    """Waveform of any length to (frames, 140), 25 ms every 11 ms.

    Values are `(decibels - floor_db) / 20`, as the front end's.
    """

    size = CONFIG.num_features

    def __init__(self):
        self._cosine, self._sine = dft_matrices(CONFIG)
        self._filter_bank = mel_filter_bank(CONFIG)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """One shorter than a window is zero-padded to it."""
        missing = max(0, CONFIG.window_samples - len(waveform))
        waveform = np.pad(np.asarray(waveform, np.float32), (0, missing))
        windows = np.lib.stride_tricks.sliding_window_view(
            waveform, CONFIG.window_samples
        )[:: CONFIG.hop_samples]
        power = np.square(windows @ self._cosine) + np.square(
            windows @ self._sine
        )
        floor = np.float32(10 ** (CONFIG.floor_db / 10))
        bands = np.maximum(power @ self._filter_bank, floor)
        return 10 * np.log10(bands / floor) / 20
