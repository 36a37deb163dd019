"""Runs of two streams with untrained networks, imported by name."""

import dataclasses

import keras
from sequence_data import write_sequence_records

from emotion_nas_tf.config import (
    NetworkConfig,
    ProtocolConfig,
    RecurrentConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.evaluation.answers import system_probabilities
from emotion_nas_tf.evaluation.fold_evaluation import evaluate_fold
from emotion_nas_tf.networks.baselines.cnn import build_cnn
from emotion_nas_tf.networks.baselines.info import (
    describe_comparator,
    save_comparator_info,
)
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    build_network,
    describe_system,
    save_info,
    save_weights,
)
from emotion_nas_tf.recurrent.network import build_recurrent_network
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.recurrent.system import (
    describe_recurrent_system,
    save_recurrent_info,
)
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.config import SequenceRequest
from tfrecords_builder.features.sequence import (
    complete_request,
    describe_features,
)

SIZE = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
# Another cell in every run.
RECIPES = ("gru", "lstm", "rnn")


class World:
    """Records of noise, a fold of them, and runs of three seeds."""

    def __init__(self, folder):
        request = complete_request(SequenceRequest("logmel"), print)
        sequence = dataclasses.replace(
            describe_features(request), num_frames=20
        )
        self.records = folder / "records"
        self.records.mkdir()
        write_sequence_records(self.records, sequence, loudness=1.0)
        self.manifest, (self.fold,) = open_records(
            ProtocolConfig(self.records, folder, (1,), "first")
        )
        self.folder = folder
        self.runs = [folder / f"seed{seed}" for seed in range(3)]
        for seed, run in enumerate(self.runs):
            self.write_run(run, seed)

    def test(self, run):
        return RunDirectory(run).test(1, self.fold.test_speaker)

    def evaluate(self, run):
        return evaluate_fold(self.records, run, self.fold)

    def answer(self, directory, system, indices):
        return system_probabilities(
            directory, system, self.records, self.manifest, indices
        )

    def write_run(self, run, seed):
        """Every run has `retrained`, `recipe`, `cnn` and `majority`."""
        keras.utils.set_random_seed(seed)
        directory, manifest = self.test(run), self.manifest
        kept = {
            "validation_ua": 0.25 * (1 + seed),
            "validation_loss": 1.0 + seed,
            "epoch": 1 + seed,
        }
        genotype = random_genotype(seed, SIZE.num_nodes)
        network = build_network(SIZE, 3, genotype, (12, 12))
        self.write(network, directory.system("retrained"))
        save_info(
            directory.system("retrained"),
            describe_system(
                "retrained", network, SIZE, genotype, manifest, kept
            ),
        )
        self.write_recurrent(run, "recipe", RECIPES[seed % 3], kept)
        network = build_cnn(2 + seed, 3, (12, 12))
        self.write(network, directory.system("cnn"))
        save_comparator_info(
            directory.system("cnn"),
            describe_comparator(
                "cnn",
                manifest,
                kept,
                10 + seed,
                width=2 + seed,
                input_shape=(12, 12),
            ),
        )
        directory.system("majority").mkdir(exist_ok=True)
        save_comparator_info(
            directory.system("majority"),
            describe_comparator(
                "majority",
                manifest,
                {"validation_ua": 1 / 3},
                2,
                shares=[0.2, 0.5, 0.3],
            ),
        )

    def write_recurrent(self, run, system, recipe, kept, **changes):
        size = RecurrentConfig(
            1, 4, self.manifest.sequence.size, standardize=True, **changes
        )
        network = build_recurrent_network(size, built_in(recipe), 3)
        folder = self.test(run).system(system)
        self.write(network, folder)
        save_recurrent_info(
            folder,
            describe_recurrent_system(
                system, size, built_in(recipe), self.manifest, kept
            ),
        )

    @staticmethod
    def write(network, folder):
        """Saves a network of answers that are not all alike."""
        kernel = network.classifier.kernel
        kernel.assign(8 * kernel)
        save_weights(network, folder / WEIGHTS_NAME)
