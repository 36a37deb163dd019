"""Training of a derived network, or of another one, from scratch."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    as_json,
)
from emotion_nas_tf.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.pipeline import Split, load_split
from emotion_nas_tf.networks.drop_path import DropPath
from emotion_nas_tf.networks.precision import layers_in
from emotion_nas_tf.networks.system import (
    build_network,
    describe_system,
    save_info,
)
from emotion_nas_tf.run_directory import GENOTYPE_NAME, INFO_NAME
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.training.augmenting import spectrogram_augmentation
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.fitting import (
    fit_resumable,
    make_weight_optimizer,
)
from emotion_nas_tf.training.losses import class_weights
from emotion_nas_tf.training.state import claim_folder, set_random_state
from emotion_nas_tf.training.supervised_step import SupervisedTraining
from emotion_nas_tf.training.weight_average import WeightAverage
from tfrecords_builder.records import RecordsManifest


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
    # Before anything is left behind.
    spectrogram_augmentation(config, data.training)
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
    classes = len(manifest.label_names)
    shape = data.training.features.shape[1:3]
    network, best = fit_network(
        lambda: build_network(network_config, classes, genotype, shape),
        folder,
        title,
        data,
        config,
    )
    save_info(
        folder,
        describe_system(
            system, network, network_config, genotype, manifest, best
        ),
    )


def fit_network(
    build: Callable[[], keras.Model],
    folder: Path,
    title: str,
    data: TrainingData,
    config: DerivedTrainConfig,
) -> tuple[keras.Model, dict[str, float]]:
    """Trains a network into a folder; see `fit_resumable`.

    Args:
      build: makes it with initial weights; it has a `classifier`, and
        `drop_paths` where it has paths to drop.
      folder: of the results.
      title: begins each line of progress.
      data: the splits.
      config: how.

    Returns:
      The network whose weights are kept, and the best epoch's row.

    Raises:
      UsageError: when SpecAugment cannot be done as asked.
      WorkError: when the loss stops being finite.
    """
    augment = spectrogram_augmentation(config, data.training)
    num_steps = steps_per_epoch(len(data.training.labels), config.batch_size)
    model = _compile(build, data.training, config, num_steps)
    best = fit_resumable(
        model,
        model.kept,
        {"weights": model.optimizer},
        folder,
        title,
        config,
        num_steps,
        lambda first_step: training_batches(
            data.training,
            config.batch_size,
            config.seed,
            first_step,
            config.epochs,
            balanced=config.class_balance == "sampling",
            augment=augment,
        ),
        evaluation_batches(data.validation),
    )
    return model.kept, best


def _compile(
    build: Callable[[], keras.Model],
    training: Split,
    config: DerivedTrainConfig,
    num_steps: int,
) -> SupervisedTraining:
    set_random_state(config)
    with layers_in(config.precision):
        network = build()
        average = None
        if config.weight_averaging:
            average = WeightAverage(network, build(), config.weight_averaging)
    classes = network.classifier.units
    model = SupervisedTraining(
        network,
        class_weights(config.class_balance, training.labels, classes),
        config.label_smoothing,
        config.mixup,
        config.seed,
        average,
    )
    optimizer = make_weight_optimizer(config)
    optimizer.build(network.trainable_weights)
    if config.drop_path:
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
