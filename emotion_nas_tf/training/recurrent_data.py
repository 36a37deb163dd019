"""What the training of recurrent networks reads; never the test speaker's."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.sequence_batches import (
    sequence_evaluation_batches,
    sequence_training_batches,
)
from emotion_nas_tf.data.sequences import (
    Sequences,
    load_sequences,
    sequence_config,
)
from emotion_nas_tf.recurrent.system import padded_frames
from emotion_nas_tf.training.augmenting import Augment, sequence_augmentation
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.records import RecordsManifest


@dataclass(frozen=True)
class RecurrentData:
    """Training and validation speakers of a fold. Can go to other processes.

    Attributes:
      training: utterances.
      validation: utterances.
      label_names: the classes.
      sequence: what the features are.
    """

    training: Sequences
    validation: Sequences
    label_names: tuple[str, ...]
    sequence: SequenceConfig

    def size(self, config: RecurrentConfig) -> RecurrentConfig:
        """A network's size for these features.

        Log-mel features are positive, on EmoDB three deviations from 0: what
        all frames have in common would weigh more in every gate than what
        tells them apart. Encoders' outputs are left as they are, as in the
        paper.
        """
        standardize = config.standardize
        if standardize is None:
            standardize = self.sequence.features == "logmel"
        return dataclasses.replace(
            config, input_size=self.sequence.size, standardize=standardize
        )

    def training_batches(
        self,
        network: RecurrentConfig,
        config: RecurrentTrainConfig,
        first_step: int,
    ) -> tf.data.Dataset:
        """See `sequence_training_batches`, and `augmentation`."""
        return sequence_training_batches(
            self.training,
            config.batch_size,
            config.seed,
            first_step,
            config.epochs,
            balanced=config.class_balance == "sampling",
            num_frames=padded_frames(network, self.sequence),
            augment=self.augmentation(config),
        )

    def augmentation(self, config: RecurrentTrainConfig) -> Augment | None:
        """What the training changes about utterances, epoch by epoch.

        Raises:
          UsageError: when the features cannot be changed as asked.
        """
        return sequence_augmentation(config, self.sequence, self.training)

    def validation_batches(
        self, network: RecurrentConfig, config: RecurrentTrainConfig
    ) -> tf.data.Dataset:
        """See `sequence_evaluation_batches`."""
        return sequence_evaluation_batches(
            self.validation,
            # As in training: compiled once.
            config.batch_size,
            padded_frames(network, self.sequence),
        )


def load_recurrent_data(
    records_dir: Path, manifest: RecordsManifest, fold: Fold
) -> RecurrentData:
    """Reads both splits of a fold.

    Raises:
      UsageError: when the records have no features over time, or are damaged.
    """
    return RecurrentData(
        load_sequences(records_dir, manifest, fold.training),
        load_sequences(records_dir, manifest, fold.validation),
        tuple(manifest.label_names),
        sequence_config(manifest),
    )
