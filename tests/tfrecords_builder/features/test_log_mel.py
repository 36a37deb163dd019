"""`logmel` is the front end, frame by frame."""

import dataclasses

import numpy as np

from tfrecords_builder.features.log_mel import CONFIG, LogMelFrames
from tfrecords_builder.features.spectrogram import Spectrogram


def test_frames_are_the_front_ends():
    waveform = np.random.default_rng(0).normal(scale=0.1, size=4_000)
    waveform = waveform.astype(np.float32)
    frames = LogMelFrames()(waveform)
    assert frames.shape == (1 + (4_000 - 400) // 176, 140)
    unpooled = dataclasses.replace(
        CONFIG, pool_frames=1, num_columns=len(frames)
    )
    expected = Spectrogram(unpooled)(waveform[None])[0]
    np.testing.assert_allclose(frames, np.transpose(expected), atol=1e-4)


def test_silence_and_a_click_of_a_few_samples():
    np.testing.assert_array_equal(LogMelFrames()(np.zeros(900)), 0)
    assert LogMelFrames()(np.ones(3)).shape == (1, 140)
