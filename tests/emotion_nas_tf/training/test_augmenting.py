"""What training changes about utterances: in which order, and what cannot."""

import dataclasses

import numpy as np
import pytest
from sequence_data import SEQUENCE, make_data

from emotion_nas_tf.config import DerivedTrainConfig, RecurrentTrainConfig
from emotion_nas_tf.data.frequency_warp import FrequencyWarp
from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.training.augmenting import (
    sequence_augmentation,
    spectrogram_augmentation,
)
from tfrecords_builder.errors import UsageError

ASKED = {"frequency_mask": 2, "time_mask": 3, "frequency_warp": 0.3, "seed": 4}


def test_nothing_is_changed_unless_asked():
    split = Split(np.ones((4, 6, 8, 1), np.float32), np.zeros(4), (), ())
    data = make_data()
    assert spectrogram_augmentation(DerivedTrainConfig(), split) is None
    assert data.augmentation(RecurrentTrainConfig()) is None


def test_spectrograms_are_stretched_and_then_masked():
    features = np.random.default_rng(0).uniform(1, 2, (40, 6, 8, 1))
    split = Split(features.astype(np.float32), np.zeros(40), (), ())
    augment = spectrogram_augmentation(DerivedTrainConfig(**ASKED), split)
    changed = augment(1)(split.features)
    stretched = FrequencyWarp(0.3, 4, axis=1).of_epoch(1)(split.features)
    gone = changed == 0
    assert 0 < gone.sum() < gone.size / 2
    np.testing.assert_array_equal(changed[~gone], stretched[~gone])


def test_frames_are_stretched_and_then_masked_by_the_training_means():
    data = make_data()
    lengths = data.training.lengths[:20]
    batch = data.training.padded(range(20))
    changed = data.augmentation(RecurrentTrainConfig(**ASKED))(1)(
        batch, lengths
    )
    stretched = FrequencyWarp(0.3, 4, axis=2).of_epoch(1)(batch)
    mean = np.broadcast_to(
        data.training.frames.mean(0, dtype=np.float64), batch.shape
    )
    gone = changed != stretched
    assert 0 < gone.sum() < gone.size / 2
    np.testing.assert_allclose(changed[gone], mean[gone], rtol=1e-6)


def test_channels_of_an_encoder_have_no_frequency():
    config = RecurrentTrainConfig(frequency_warp=0.1)
    wav2vec = dataclasses.replace(SEQUENCE, features="wav2vec", encoder="large")
    training = make_data().training
    assert sequence_augmentation(config, SEQUENCE, training)
    with pytest.raises(UsageError, match=r"frequency_warp .* wav2vec"):
        sequence_augmentation(config, wav2vec, training)
