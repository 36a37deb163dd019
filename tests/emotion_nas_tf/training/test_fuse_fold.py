"""The fusions of a test: what is made, kept, replaced, and never looked at."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.special import softmax

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
    ProtocolConfig,
    as_json,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.networks import fusion_system
from emotion_nas_tf.networks.system import SystemInfo, save_info
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.training import cross_fitting
from emotion_nas_tf.training.fuse_fold import fuse_fold, fusions_of
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.errors import UsageError

CONFIG = FusionConfig(epochs=2)
ALL = (
    "fusion",
    "fusion_mean",
    "fusion_product",
    "perceptron_spectrogram",
    "perceptron_recurrent",
)


class World:
    """Fold 1 of the small records, with two streams that are pretended."""

    def __init__(self, records, path):
        protocol = ProtocolConfig(records, path, (1,), "first")
        self.records = records
        self.manifest, (self.fold,) = open_records(protocol)
        self.directory = RunDirectory(path).test(1, self.fold.test_speaker)
        self.asked = []
        for number, name in enumerate(("retrained", "recipe"), start=1):
            self.train(self.directory, name, b"weights", 1000 * number)

    @staticmethod
    def train(directory, name, weights, parameters=1000):
        folder = directory.system(name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / fusion_system.WEIGHTS_NAME).write_bytes(weights)
        directory.info(name).write_text(json.dumps({"parameters": parameters}))

    def answer(self, directory, system, indices):
        """Noisy truths; notes what was asked."""
        self.asked.append((directory, system, tuple(indices)))
        generator = np.random.default_rng(len(system))
        noise = generator.normal(size=(len(self.manifest.entries), 3))
        for row, entry in enumerate(self.manifest.entries):
            noise[row, entry.label] += 2
        return softmax(noise[list(indices)], axis=1)

    def fuse(self, **changes):
        return fuse_fold(
            self.records,
            self.manifest,
            self.fold,
            self.directory,
            dataclasses.replace(CONFIG, **changes),
            self.answer,
        )

    def utterances_asked(self):
        return {index for _, _, indices in self.asked for index in indices}


@pytest.fixture
def world(small_records, tmp_path):
    return World(small_records, tmp_path)


@pytest.fixture
def no_training(monkeypatch, world):
    """Streams of the cross-fitting appear without being trained."""
    trained = []

    def train(records_dir, manifest, fold, directory, without, system):
        trained.append((without.path.name, fold.training_speakers, system))
        world.train(without, system, b"others")

    monkeypatch.setattr(cross_fitting, "_train", train)
    return trained


def test_everything_is_made_and_can_be_read_again(world):
    made = world.fuse()
    assert tuple(made) == ALL
    streams = [
        world.answer(world.directory, name, world.fold.test)
        for name in ("retrained", "recipe")
    ]
    for name in ALL:
        network, info = fusion_system.load_fusion(world.directory, name)
        assert info == made[name]
        found = fusion_system.join(
            network, info, [streams[s == "recipe"] for s in info.fused]
        )
        np.testing.assert_allclose(found.sum(axis=1), 1)
    # Two streams of three classes: 42 + 21 + 12 weights and biases.
    assert made["fusion"].own_parameters == 6 * 7 + 3 * 7 + 3 * 4
    assert made["fusion"].parameters == 3000 + 75
    assert made["perceptron_spectrogram"].fused == ("retrained", "retrained")
    assert made["perceptron_spectrogram"].parameters == 1000 + 75
    assert made["fusion_mean"].parameters == 3000
    mean = fusion_system.join(None, made["fusion_mean"], streams)
    np.testing.assert_allclose(mean, (streams[0] + streams[1]) / 2)


@pytest.mark.parametrize("data", ["training", "validation", "cross_fitted"])
def test_the_test_speaker_is_never_looked_at(world, no_training, data):
    world.fuse(data=data)
    fold = world.fold
    assert not world.utterances_asked() & set(fold.test)
    expected = {
        "training": {*fold.training, *fold.validation},
        "validation": set(fold.validation),
        "cross_fitted": {*fold.training, *fold.validation},
    }[data]
    assert world.utterances_asked() == expected


def test_cross_fitted_answers_are_of_streams_that_never_heard_them(
    world, no_training
):
    world.fuse(data="cross_fitted")
    # One training session: its speakers are left out one by one.
    assert no_training == [
        ("1_of_2", ("d",), "retrained"),
        ("1_of_2", ("d",), "recipe"),
        ("2_of_2", ("c",), "retrained"),
        ("2_of_2", ("c",), "recipe"),
    ]
    heard = {"1_of_2": {"d"}, "2_of_2": {"c"}}
    entries, fitted_on = world.manifest.entries, []
    for directory, _, indices in world.asked:
        if directory != world.directory:
            speakers = {entries[index].speaker for index in indices}
            assert not speakers & heard[directory.path.name]
            fitted_on += indices
    assert sorted(fitted_on) == sorted(2 * world.fold.training)


def test_what_is_finished_is_kept_and_what_changed_made_anew(world):
    world.fuse()
    weights = world.directory.system("fusion") / fusion_system.WEIGHTS_NAME
    before, world.asked = weights.read_bytes(), []
    made = world.fuse()
    assert (world.asked, weights.read_bytes()) == ([], before)
    assert tuple(made) == ALL
    world.fuse(seed=1)
    assert weights.read_bytes() != before
    # A stream trained anew: its fusions are no longer what they say.
    world.train(world.directory, "recipe", b"new")
    with pytest.raises(UsageError, match=r"recipe in .* is no longer"):
        fusion_system.load_fusion(world.directory, "fusion")
    world.asked = []
    world.fuse(seed=1)
    assert world.asked
    fusion_system.load_fusion(world.directory, "fusion")


def test_an_unfinished_fusion_is_finished(world):
    world.fuse()
    world.directory.info("fusion_mean").unlink()
    assert "fusion_mean" in world.fuse()
    assert world.directory.info("fusion_mean").is_file()


def test_what_is_fused_no_longer_goes(world):
    world.fuse()
    made = world.fuse(fused=("retrained",))
    assert tuple(made) == ("perceptron_spectrogram",)
    assert not world.directory.info("fusion").is_file()


def test_two_systems_of_a_stream_may_be_fused():
    found = fusions_of(("retrained", "recipe", "lstm"))
    assert found["fusion"][1] == ("retrained", "recipe", "lstm")
    assert found["perceptron_recurrent"][1] == ("recipe",) * 3


def test_a_stream_that_is_not_there_names_its_program(world):
    world.directory.info("recipe").unlink()
    with pytest.raises(UsageError, match=r"recipe, to be fused.*nas_tf\.train"):
        world.fuse()


def test_groups_are_whole_sessions(world):
    entries = [
        dataclasses.replace(entry, session=str(index // 12 % 4))
        for index, entry in enumerate(world.manifest.entries)
    ]
    manifest = dataclasses.replace(world.manifest, entries=tuple(entries))
    groups = cross_fitting.make_groups(manifest, world.fold, 2)
    sessions = [{entries[i].session for i in g.left_out} for g in groups]
    assert sessions == [{"0", "1"}, {"2", "3"}]
    for group in groups:
        assert sorted(group.left_out + group.fold.training) == sorted(
            world.fold.training
        )
        assert group.fold.validation == world.fold.validation
    assert len(cross_fitting.make_groups(manifest, world.fold)) == 4


def test_a_group_that_alone_has_a_class_cannot_be_left_out(world):
    entries = tuple(
        dataclasses.replace(entry, label=0 if entry.speaker == "d" else 1)
        for entry in world.manifest.entries
    )
    manifest = dataclasses.replace(
        world.manifest, entries=entries, label_names=("angry", "sad")
    )
    with pytest.raises(UsageError, match="without c nobody trains sad"):
        cross_fitting.make_groups(manifest, world.fold)


def test_nobody_to_leave_out(world):
    training = tuple(
        i
        for i in world.fold.training
        if world.manifest.entries[i].speaker == "c"
    )
    fold = dataclasses.replace(world.fold, training=training)
    with pytest.raises(UsageError, match="one speaker c: nobody"):
        cross_fitting.make_groups(world.manifest, fold)


def test_a_search_network_cannot_be_cross_fitted(world):
    world.train(world.directory, "search", b"weights")
    with pytest.raises(UsageError, match="search cannot be trained without"):
        world.fuse(fused=("search", "recipe"), data="cross_fitted")


def test_a_training_is_repeated_as_it_was(world, monkeypatch):
    """Cells, size and settings are those noted beside the system."""
    network = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
    config = DerivedTrainConfig(epochs=3, label_smoothing=0.1, seed=4)
    genotype = random_genotype(5, num_nodes=2)
    directory = world.directory
    directory.info("retrained").unlink()
    claim_folder(
        directory.system("retrained"),
        {"program": "train", **as_json(network), **as_json(config)},
    )
    save_info(
        directory.system("retrained"),
        SystemInfo(
            system="retrained",
            network=network,
            genotype=genotype,
            label_names=world.manifest.label_names,
            spectrogram=SpectrogramConfig(
                **world.manifest.features["spectrogram"]
            ),
            fingerprint=world.manifest.fingerprint,
            records=world.manifest.digest,
            corpus="manifest",
            validation_ua=0.5,
            epoch=1,
            parameters=10,
        ),
    )
    calls = []
    monkeypatch.setattr(
        cross_fitting, "train_system", lambda *args: calls.append(args)
    )
    (_, group), _ = cross_fitting.cross_fit(
        world.records, world.manifest, world.fold, directory, ["retrained"]
    )
    name, folder, data, _, fold, cells, size, settings = calls[0]
    assert (name, cells, size, settings) == (
        "retrained",
        genotype,
        network,
        config,
    )
    assert folder == (
        directory.fusion / "cross_fit/1_of_2/spectrogram/retrained"
    )
    assert fold == group.fold
    assert set(data.training.speakers) == {"d"}
    assert set(data.validation.speakers) == {fold.validation_speaker}
