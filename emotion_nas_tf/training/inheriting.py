"""The derived network with the weights that a search left it."""

from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig, TrainConfig
from emotion_nas_tf.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    build_network,
    describe_system,
    save_info,
    save_weights,
)
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.supervised import TrainingData
from emotion_nas_tf.training.supervised_step import SupervisedTraining
from tfrecords_builder.records import RecordsManifest

# With a momentum of .9 nothing of the old statistics is left after these.
_CALIBRATION_STEPS = 64


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
