"""Frames averaged in groups."""

import numpy as np

from tfrecords_builder.features.pooling import num_pooled, pool
from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings


def test_a_ramp_gives_midpoints_and_zeros_fill_the_last_group():
    frames = np.arange(1, 7, dtype=np.float32)[:, None] * [1, 10]
    pooled = pool(frames.astype(np.float32), 4)
    np.testing.assert_array_equal(pooled, [[2.5, 25], [2.75, 27.5]])
    assert pooled.dtype == np.float32


def test_pooling_is_that_of_the_padded_utterance():
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(10, 3)).astype(np.float32)
    padded = np.concatenate([frames, np.zeros((13, 3), np.float32)])
    whole = padded[:20].reshape(5, 4, 3).mean(1)
    np.testing.assert_allclose(pool(frames, 4), whole[:3], rtol=1e-6)
    np.testing.assert_array_equal(whole[3:], 0)


def test_the_longest_utterance_of_iemocap_gives_the_papers_shape():
    frames = Wav2VecSettings().num_frames(466_079)
    assert frames == 2_911
    assert num_pooled(frames, 4) == 727
    assert num_pooled(3, 4) == 1
