"""Training of a derived network, and the weights it inherits."""

import dataclasses
from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    TrainConfig,
    as_json,
)
from emotion_nas_tf.data.augmentation import SpecAugment
from emotion_nas_tf.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.pipeline import Split, load_split
from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.networks.drop_path import DropPath
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    build_network,
    describe_system,
    save_info,
    save_weights,
)
from emotion_nas_tf.run_directory import GENOTYPE_NAME, INFO_NAME
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.fitting import (
    fit_resumable,
    make_weight_optimizer,
)
from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy
from emotion_nas_tf.training.losses import (
    class_weights,
    weighted_cross_entropy,
)
from emotion_nas_tf.training.state import claim_folder, set_random_state
from tfrecords_builder.records import RecordsManifest

# With a momentum of .9 nothing of the old statistics is left after these.
_CALIBRATION_STEPS = 64


class SupervisedTraining(keras.Model):
    """One tape: the weights on a training batch.

    Args:
      network: (batch, frequency, time, 1) -> (batch, classes) logits.
      weights_of_classes: (classes,) factors of an utterance's loss.
      label_smoothing: in training; measured losses are never smoothed.
    """

    def __init__(
        self,
        network: keras.Model,
        weights_of_classes: list[float],
        label_smoothing: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.label_smoothing = label_smoothing
        self.class_weights = tf.constant(weights_of_classes, tf.float32)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.ua = UnweightedAccuracy(len(weights_of_classes), name="ua")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Reset at the start of every epoch."""
        return [self.mean_loss, self.ua]

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The network's logits."""
        return self.network(x, training=training)

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves the weights."""
        x, y = data
        weights = self.network.trainable_weights
        with tf.GradientTape() as tape:
            logits = self.network(x, training=True)
            loss = weighted_cross_entropy(
                y, logits, self.class_weights, self.label_smoothing
            )
        gradients = tape.gradient(loss, [w.value for w in weights])
        self.optimizer.apply(gradients, weights)
        return self._measure(y, logits, loss)

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA with running statistics."""
        x, y = data
        logits = self.network(x, training=False)
        loss = weighted_cross_entropy(y, logits, self.class_weights)
        return self._measure(y, logits, loss)

    def _measure(self, labels, logits, loss) -> dict[str, tf.Tensor]:
        self.mean_loss.update_state(loss, sample_weight=tf.size(labels))
        self.ua.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """What training reads; never the test speaker's."""

    training: Split
    validation: Split


def load_training_data(
    records_dir: Path, manifest: RecordsManifest, fold: Fold
) -> TrainingData:
    """Training and validation speakers of a fold."""
    return TrainingData(
        load_split(records_dir, manifest, fold.training),
        load_split(records_dir, manifest, fold.validation),
    )


def train_system(
    system: str,
    folder: Path,
    data: TrainingData,
    manifest: RecordsManifest,
    fold: Fold,
    genotype: Genotype,
    network_config: NetworkConfig,
    config: DerivedTrainConfig,
) -> None:
    """Trains a derived network from scratch; keeps its best epoch.

    Goes on after a kill; a finished training is not run again.

    Args:
      system: `retrained` or `random_cell`.
      folder: of the system.
      data: the splits.
      manifest: of the records.
      fold: for the title and the settings.
      genotype: its cells.
      network_config: its size.
      config: how.

    Raises:
      UsageError: when the folder holds a training of other settings, or
        SpecAugment cannot be done as asked.
      WorkError: when the loss stops being finite.
    """
    augment = _spec_augment(config, data.training)
    claim_folder(
        folder,
        {
            "program": "train",
            "records": manifest.digest,
            "test_speaker": fold.test_speaker,
            "genotype": dataclasses.asdict(genotype),
            **as_json(network_config),
            **as_json(config),
        },
    )
    name = system.replace("_", " ")
    title = f"{name}, fold {fold.number}, test speaker {fold.test_speaker}"
    if (folder / INFO_NAME).is_file():
        show_progress(f"{title}: finished before, kept.")
        return
    # Beside the network, for people and for --genotype.
    genotype.save(folder / GENOTYPE_NAME)
    model = _compile(genotype, network_config, data, manifest, config)
    network = model.network
    best = fit_resumable(
        model,
        network,
        {"weights": model.optimizer},
        folder,
        title,
        config,
        steps_per_epoch(len(data.training.labels), config.batch_size),
        lambda first_step: training_batches(
            data.training,
            config.batch_size,
            config.seed,
            first_step,
            config.epochs,
            balanced=config.class_balance == "sampling",
            augment=augment.of_epoch if augment else None,
        ),
        evaluation_batches(data.validation),
    )
    save_info(
        folder,
        describe_system(
            system, network, network_config, genotype, manifest, best
        ),
    )


def inherit_system(
    folder: Path,
    search_network: SearchNetwork,
    data: TrainingData,
    manifest: RecordsManifest,
    genotype: Genotype,
    network_config: NetworkConfig,
    config: TrainConfig,
) -> None:
    """Writes the derived network with the weights it inherits.

    Nothing is trained: only the batch normalisations' running statistics are
    measured again, on the training speakers, because those of the search are
    of sums over all operations.
    """
    network = inherited_network(
        search_network, genotype, network_config, data.training, config
    )
    save_weights(network, folder / WEIGHTS_NAME)
    row = {"validation_ua": measure_ua(network, data.validation), "epoch": 0}
    save_info(
        folder,
        describe_system(
            "inherited", network, network_config, genotype, manifest, row
        ),
    )


def inherited_network(
    search_network: SearchNetwork,
    genotype: Genotype,
    network_config: NetworkConfig,
    training: Split,
    config: TrainConfig,
) -> DerivedNetwork:
    """The derived network with inherited weights, calibrated."""
    classes = search_network.classifier.units
    shape = training.features.shape[1:3]
    network = build_network(network_config, classes, genotype, shape)
    network.inherit(search_network)
    calibrate(network, training, config)
    return network


def measure_ua(network: keras.Model, split: Split) -> float:
    """Unweighted accuracy of a network as it stands."""
    model = SupervisedTraining(network, [1.0] * network.classifier.units)
    model.compile(jit_compile=False)
    measured = model.evaluate(
        evaluation_batches(split), verbose=0, return_dict=True
    )
    return float(measured["ua"])


def calibrate(
    network: DerivedNetwork, training: Split, config: TrainConfig
) -> None:
    """Measures the running statistics again; no weight moves."""
    forward = tf.function(lambda x: network(x, training=True))
    num_steps = steps_per_epoch(len(training.labels), config.batch_size)
    epochs = -(-_CALIBRATION_STEPS // num_steps)
    for features, _ in training_batches(
        training, config.batch_size, config.seed, 0, epochs
    ):
        forward(features)


def _spec_augment(
    config: DerivedTrainConfig, training: Split
) -> SpecAugment | None:
    if not (config.frequency_mask or config.time_mask):
        return None
    augment = SpecAugment(config.frequency_mask, config.time_mask, config.seed)
    augment.check(*training.features.shape[1:3])
    return augment


def _compile(
    genotype: Genotype,
    network_config: NetworkConfig,
    data: TrainingData,
    manifest: RecordsManifest,
    config: DerivedTrainConfig,
) -> SupervisedTraining:
    set_random_state(config)
    classes = len(manifest.label_names)
    shape = data.training.features.shape[1:3]
    network = build_network(network_config, classes, genotype, shape)
    factors = class_weights(config.class_balance, data.training.labels, classes)
    model = SupervisedTraining(network, factors, config.label_smoothing)
    optimizer = make_weight_optimizer(config)
    optimizer.build(network.trainable_weights)
    if config.drop_path:
        num_steps = steps_per_epoch(
            len(data.training.labels), config.batch_size
        )
        network.drop_paths(
            DropPath(
                config.drop_path,
                config.seed,
                # In the checkpoints: draws go on where they stopped.
                optimizer.iterations,
                num_steps,
                config.epochs,
            )
        )
    model.compile(optimizer=optimizer, jit_compile=False)
    return model
