"""What training alone changes about the utterances, as the settings have it."""

from collections.abc import Callable, Sequence

import numpy as np

from emotion_nas_tf.config import DerivedTrainConfig, RecurrentTrainConfig
from emotion_nas_tf.data.augmentation import SequenceMasks, SpecAugment
from emotion_nas_tf.data.frequency_warp import FrequencyWarp
from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.data.sequences import Sequences
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError

# An epoch to what changes its batches; see `SpecAugment.of_epoch`.
Augment = Callable[[int], Callable[..., np.ndarray]]

_Config = DerivedTrainConfig | RecurrentTrainConfig


def spectrogram_augmentation(
    config: DerivedTrainConfig, training: Split
) -> Augment | None:
    """Of (batch, frequency, time, 1) spectrograms; None for no change.

    Raises:
      UsageError: when a mask could cover a whole axis.
    """
    check_spectrogram_augmentation(config, training.features.shape[1:3])
    steps = _warps(config, axis=1)
    if masks := _masks(config):
        steps.append(masks.of_epoch)
    return _one_after_the_other(steps)


def check_spectrogram_augmentation(
    config: DerivedTrainConfig, shape: tuple[int, int]
) -> None:
    """Looks whether (frequency, time) spectrograms can be changed as asked.

    Raises:
      UsageError: when a mask could cover a whole axis.
    """
    if masks := _masks(config):
        masks.check(*shape)


def sequence_augmentation(
    config: RecurrentTrainConfig, sequence: SequenceConfig, training: Sequences
) -> Augment | None:
    """Of (batch, frames, d) features and (batch,) lengths; None for no change.

    Args:
      config: of the training.
      sequence: what the features are.
      training: speakers.

    Raises:
      UsageError: see `check_sequence_augmentation`.
    """
    check_sequence_augmentation(config, sequence)
    steps = _warps(config, axis=2)
    if masks := _masks(config):
        mean, _ = training.moments()
        steps.append(SequenceMasks(masks, mean).of_epoch)
    return _one_after_the_other(steps)


def check_sequence_augmentation(
    config: RecurrentTrainConfig, sequence: SequenceConfig
) -> None:
    """Looks whether features over time can be changed as asked.

    Raises:
      UsageError: when a mask could cover a whole frame or utterance, or there
        are no frequencies to stretch.
    """
    if masks := _masks(config):
        masks.check(sequence.size, sequence.num_frames, "recurrent_")
    if config.frequency_warp and sequence.features != "logmel":
        raise UsageError(
            "--recurrent_frequency_warp stretches spectra along frequency; the "
            f"records have {sequence.title}, whose channels are in no order. "
            "Leave it out, or build records with --sequence_features=logmel."
        )


def _warps(config: _Config, axis: int) -> list[Augment]:
    if not config.frequency_warp:
        return []
    return [FrequencyWarp(config.frequency_warp, config.seed, axis).of_epoch]


def _masks(config: _Config) -> SpecAugment | None:
    if not (config.frequency_mask or config.time_mask):
        return None
    return SpecAugment(config.frequency_mask, config.time_mask, config.seed)


def _one_after_the_other(steps: Sequence[Augment]) -> Augment | None:
    if not steps:
        return None

    def of_epoch(epoch: int) -> Callable[..., np.ndarray]:
        changes = [step(epoch) for step in steps]

        def change(features: np.ndarray, *lengths: np.ndarray) -> np.ndarray:
            for one in changes:
                features = one(features, *lengths)
            return features

        return change

    return of_epoch
