"""Comparators of a test: made, resumed, refused; and what they answer."""

import dataclasses

import numpy as np
import pytest

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    ProtocolConfig,
)
from emotion_nas_tf.data.pipeline import load_split
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.evaluation.comparators import comparator_probabilities
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training import comparators
from emotion_nas_tf.training.comparators import train_comparators
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features import functionals
from tfrecords_builder.files import read_json
from tfrecords_builder.records import load_manifest

NETWORK = NetworkConfig(num_channels=2, num_nodes=2)
CONFIG = DerivedTrainConfig(epochs=4, batch_size=8)


@pytest.fixture
def work(small_records, tmp_path):
    """Makes comparators of fold 1 that speaker a tests, and asks them."""

    class Work:
        manifest, (fold,) = open_records(
            ProtocolConfig(small_records, tmp_path, (1,), "first")
        )
        directory = RunDirectory(tmp_path / "run").test(1, "a")

        def make(self, *systems, **changes):
            train_comparators(
                small_records,
                self.manifest,
                self.fold,
                self.directory,
                NETWORK,
                dataclasses.replace(CONFIG, **changes),
                systems,
            )

        def answers(self, system, indices):
            return comparator_probabilities(
                self.directory, system, small_records, self.manifest, indices
            )

        def info(self, system):
            return read_json(self.directory.info(system))

    return Work()


def test_majority(write_small_records, work, tmp_path):
    # Speakers c and d train; d says sad things only.
    records = write_small_records(
        tmp_path, lambda speaker, label: speaker != "d" or label == "sad"
    )
    work.manifest = load_manifest(records)
    work.fold = open_records(ProtocolConfig(records, tmp_path, (1,), "first"))[
        1
    ][0]
    work.make("majority")
    answers = work.answers("majority", work.fold.test)
    assert answers.shape == (18, 3)
    # 6, 6 and 6 + 6 utterances.
    np.testing.assert_allclose(answers, [[0.25, 0.25, 0.5]] * 18)
    # Right about one class of three.
    assert work.info("majority")["validation_ua"] == pytest.approx(1 / 3)


def test_other_records_are_refused(write_small_records, work, tmp_path):
    """The same front end and classes, but another speaker validates."""
    work.make("majority")
    work.manifest = load_manifest(
        write_small_records(tmp_path, lambda speaker, label: speaker != "b")
    )
    with pytest.raises(UsageError, match=r"other records .* system majority"):
        work.answers("majority", [0])


def test_what_cannot_be_made_leaves_nothing(work, monkeypatch):
    def missing():
        raise UsageError("openSMILE is not installed")

    monkeypatch.setattr(comparators, "opensmile_version", missing)
    with pytest.raises(UsageError, match="not installed"):
        work.make("majority", "opensmile_svm")
    assert not work.directory.path.exists()


def test_cnn_is_trained_as_a_derived_network_and_kept(work, capsys):
    work.make("cnn", weight_averaging=0.5, drop_path=0.2)
    validation = list(work.fold.validation)
    answers = work.answers("cnn", validation)
    np.testing.assert_allclose(answers.sum(1), 1)
    labels = np.array([work.manifest.entries[i].label for i in validation])
    recalls = [(answers.argmax(1)[labels == k] == k).mean() for k in range(3)]
    info = work.info("cnn")
    # What is kept is what was validated: the average of the best epoch.
    assert info["validation_ua"] == pytest.approx(np.mean(recalls))
    assert info["epoch"] in range(1, 5)
    capsys.readouterr()
    work.make("cnn", weight_averaging=0.5, drop_path=0.2)
    assert "finished before, kept" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"weight_averaging: 0\.5 there, 0"):
        work.make("cnn", drop_path=0.2)


def fill_cache(folder, records_dir, manifest):
    """Functionals from the spectrograms, where openSMILE's would lie."""
    everybody = range(len(manifest.entries))
    split = load_split(records_dir, manifest, everybody)
    for entry, features in zip(manifest.entries, split.features, strict=True):
        row = np.full(functionals.NUM_FUNCTIONALS, np.nan, np.float32)
        row[:12] = features.mean(axis=(1, 2))
        path = functionals.Functionals(folder, "9.9")._path(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, row)


def test_opensmile_svm(work, small_records, monkeypatch):
    monkeypatch.setattr(comparators, "opensmile_version", lambda: "9.9")
    fill_cache(
        comparators.functionals_dir(work.directory),
        small_records,
        work.manifest,
    )
    work.make("opensmile_svm")
    answers = work.answers("opensmile_svm", work.fold.test)
    np.testing.assert_allclose(answers.sum(1), 1)
    labels = [work.manifest.entries[i].label for i in work.fold.test]
    # A class is a band of frequencies: easy.
    assert np.mean(answers.argmax(1) == labels) > 0.9
    info = work.info("opensmile_svm")
    assert info["validation_ua"] > 0.9
    assert info["settings"]["opensmile"] == "9.9"
    # Such bands are told apart at any cost: of equals the lowest is taken.
    assert info["settings"]["cost"] == 1e-6


def test_other_classes_are_refused(work):
    work.make("majority")
    work.manifest = dataclasses.replace(
        work.manifest, label_names=("neutral", "angry", "bored")
    )
    with pytest.raises(UsageError, match="knows the classes neutral, angry, s"):
        work.answers("majority", [0])
    with pytest.raises(UsageError, match="--systems=cnn"):
        work.answers("cnn", [0])
