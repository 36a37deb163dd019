"""Evaluation of a fold, with networks whose answers are known."""

import csv
import dataclasses
import json
import os
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.evaluation import answers, fold_evaluation
from emotion_nas_tf.networks import fusion_system
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.config import spectrogram_preset
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.records import RecordEntry, RecordsManifest

LABELS = ("angry", "sad")
SPECTROGRAM = spectrogram_preset()
FOLD = Fold(2, "2", ("1",), "3", "4", (0,), (1,), (2, 3, 4))
# Of the speakers 3, who validates, and 4.
ENTRIES = tuple(
    RecordEntry(id_, speaker, "2", label, id_, 1.0, 0, position)
    for position, (id_, speaker, label) in enumerate(
        [
            ("x", "1", 0),
            ("v", "3", 0),
            ("a", "4", 0),
            ("b", "4", 1),
            ("c", "4", 1),
        ]
    )
)
# The mean of an utterance's features is what the network below answers.
MEANS = np.array([0.0, 1.0, 1.0, -1.0, 2.0], np.float32)


def _split(records_dir, manifest, indices):
    means = MEANS[list(indices)][:, None, None, None]
    features = means * np.ones((1, 140, 140, 1), np.float32)
    return SimpleNamespace(features=features)


def _network(sign):
    """Logits (sign, -sign) times the mean of the features."""
    inputs = keras.Input((140, 140, 1))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    dense = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, dense(mean))
    dense.set_weights([np.array([[sign, -sign]], np.float32)])
    return model


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A run with two systems, and records that are never read."""
    manifest = RecordsManifest(
        1,
        "toy",
        LABELS,
        {"spectrogram": dataclasses.asdict(SPECTROGRAM)},
        SPECTROGRAM.fingerprint(),
        "none",
        ENTRIES,
        (),
    )
    info = SimpleNamespace(
        label_names=LABELS,
        fingerprint=SPECTROGRAM.fingerprint(),
        records=manifest.digest,
    )
    about = {"validation_ua": 0.5, "parameters": 2}
    systems = {
        "search": (_network(1.0), info),
        "retrained": (_network(-1.0), info),
    }
    monkeypatch.setattr(fold_evaluation, "load_manifest", lambda _: manifest)
    monkeypatch.setattr(fold_evaluation, "verify_shards", lambda *_: None)
    monkeypatch.setattr(answers, "load_split", _split)
    monkeypatch.setattr(
        fold_evaluation, "has_system", lambda _, name: name in systems
    )
    monkeypatch.setattr(answers, "load_system", lambda _, name: systems[name])
    run = RunDirectory(tmp_path / "run")
    directory = run.test(2, "4")
    for name in systems:
        directory.system(name).mkdir(parents=True, exist_ok=True)
        directory.info(name).write_text(json.dumps(about))

    def evaluate(*names):
        return fold_evaluation.evaluate_fold(
            tmp_path / "records", run.path, FOLD, names
        )

    return SimpleNamespace(
        evaluate=evaluate,
        directory=directory,
        info=info,
        systems=systems,
        records=manifest.digest,
    )


def test_metrics_of_every_system_that_exists(world):
    content = world.evaluate()
    # Signs of the means: +, -, +: angry, sad, angry against angry, sad, sad.
    assert content["systems"]["search"]["confusion_matrix"] == [[1, 0], [1, 1]]
    assert content["systems"]["search"]["ua"] == pytest.approx(0.75)
    assert content["systems"]["retrained"]["ua"] == pytest.approx(0.25)
    assert content["systems"]["retrained"]["validation_ua"] == 0.5
    assert content["chance"] == 0.5
    assert json.loads(world.directory.metrics.read_text()) == content


def test_predictions_name_utterance_truth_and_probabilities(world):
    world.evaluate()
    with world.directory.predictions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["system"] for row in rows] == ["search"] * 3 + ["retrained"] * 3
    assert [row["id"] for row in rows[:3]] == ["a", "b", "c"]
    assert rows[2]["label"] == "sad"
    assert rows[2]["predicted"] == "angry"
    # softmax(2, -2) = 1 / (1 + exp(-4))
    assert float(rows[2]["p_angry"]) == pytest.approx(
        1 / (1 + np.exp(-4)), abs=1e-6
    )


def test_one_system_evaluated_again_leaves_the_other(world):
    before = world.evaluate()
    file = world.directory.predictions.read_bytes()
    again = world.evaluate("retrained")
    assert again == before
    assert world.directory.predictions.read_bytes() == file


def test_an_empty_line_at_the_end_changes_nothing(world):
    before = world.evaluate()
    file = world.directory.predictions.read_bytes()
    world.directory.predictions.write_bytes(file + b"\n\r\n")
    assert world.evaluate("retrained") == before
    assert world.directory.predictions.read_bytes() == file


def test_files_that_people_damaged_are_named(world):
    world.evaluate()
    lines = world.directory.predictions.read_text().splitlines()
    lines[1] = lines[1].rpartition(",")[0]
    world.directory.predictions.write_text("\n".join(lines))
    with pytest.raises(
        UsageError, match=r"predictions\.csv is damaged \(row 1"
    ):
        world.evaluate("retrained")
    world.directory.metrics.write_text('{"schema_version": 1}')
    with pytest.raises(UsageError, match=r"metrics\.json is damaged: no fold"):
        world.evaluate("retrained")


def test_results_on_other_records_are_dropped(world):
    world.evaluate()
    metrics = json.loads(world.directory.metrics.read_text())
    assert metrics["records"] == world.records
    metrics["records"] = "others"
    later = world.directory.metrics.stat().st_mtime + 1
    world.directory.metrics.write_text(json.dumps(metrics))
    os.utime(world.directory.metrics, (later, later))
    assert list(world.evaluate("retrained")["systems"]) == ["retrained"]


@pytest.mark.parametrize("change", ["retrained", "removed"])
def test_results_of_a_network_that_is_no_more_are_dropped(world, change):
    world.evaluate()
    info = world.directory.info("search")
    if change == "removed":
        info.unlink()
    else:
        later = world.directory.metrics.stat().st_mtime + 1
        os.utime(info, (later, later))
    content = world.evaluate("retrained")
    assert list(content["systems"]) == ["retrained"]
    assert "search" not in world.directory.predictions.read_text()


def test_refuses_records_of_another_front_end(world):
    world.info.fingerprint = spectrogram_preset("paper").fingerprint()
    with pytest.raises(UsageError, match="another front end"):
        world.evaluate()
    assert not world.directory.metrics.exists()


def test_refuses_records_of_other_classes(world):
    world.info.label_names = ("calm", "sad")
    with pytest.raises(UsageError, match="knows the classes calm, sad"):
        world.evaluate()


@pytest.mark.parametrize("name", ["inherited", "retrianed"])
def test_refuses_a_system_that_is_not_there(world, name):
    with pytest.raises(UsageError, match=name):
        world.evaluate(name)


def test_says_what_to_run_when_nothing_is_trained(world):
    world.systems.clear()
    with pytest.raises(UsageError, match=r"emotion_nas_tf\.search"):
        world.evaluate()


def test_a_diverged_network_is_not_measured(world):
    world.systems["search"] = (_network(np.nan), world.info)
    with pytest.raises(WorkError, match="NaN or infinity"):
        world.evaluate("search")


def test_refuses_records_that_nobody_was_trained_on(world):
    """Same front end and classes: its validation speaker may have trained."""
    world.info.records = "0123456789abcdef"
    with pytest.raises(
        UsageError, match=r"other records .* system search .*0123456789ab there"
    ):
        world.evaluate()
    assert not world.directory.metrics.exists()


def _fuse(world, name, method, fused, records=None):
    trained = {}
    for system in fused:
        path = world.directory.system(system) / fusion_system.WEIGHTS_NAME
        path.write_bytes(b"weights")
        trained[system] = fusion_system.digest_of(world.directory, system)
    info = fusion_system.FusionInfo(
        system=name,
        method=method,
        fused=fused,
        trained=trained,
        label_names=LABELS,
        fingerprint=SPECTROGRAM.fingerprint(),
        records=records or world.records,
        corpus="toy",
        settings={},
        validation_ua=0.25,
        epoch=0,
        parameters=4,
        own_parameters=0,
    )
    fusion_system.save_fusion(world.directory, info)
    world.systems[name] = None


def test_a_fusion_joins_what_its_systems_answer(world, monkeypatch):
    _fuse(world, "fusion_mean", "mean", ("search", "retrained"))
    _fuse(world, "fusion_product", "product", ("search", "search"))
    loaded = []
    load = answers.load_system
    monkeypatch.setattr(
        answers, "load_system", lambda *of: loaded.append(of[1]) or load(*of)
    )
    content = world.evaluate()
    assert list(content["systems"])[2:] == ["fusion_mean", "fusion_product"]
    assert content["systems"]["fusion_mean"]["validation_ua"] == 0.25
    # Each network answers once, however many ask.
    assert loaded == ["search", "retrained"]
    with world.directory.predictions.open(newline="") as file:
        rows = {
            (row["system"], row["id"]): float(row["p_angry"])
            for row in csv.DictReader(file)
        }
    # Of opposite logits, the mean is a half.
    assert rows["fusion_mean", "c"] == 0.5
    # softmax(2, -2) squared: softmax(4, -4).
    assert rows["fusion_product", "c"] == pytest.approx(
        1 / (1 + np.exp(-8)), abs=1e-6
    )


def test_results_of_a_fusion_of_what_was_retrained_are_dropped(world):
    _fuse(world, "fusion_mean", "mean", ("search", "retrained"))
    _fuse(world, "fusion_product", "product", ("retrained", "retrained"))
    assert len(world.evaluate()["systems"]) == 4
    later = world.directory.metrics.stat().st_mtime + 1
    os.utime(world.directory.info("search"), (later, later))
    # What hears the search network is of one that is no more.
    again = world.evaluate("retrained")
    assert list(again["systems"]) == ["retrained", "fusion_product"]


def test_a_fusion_made_on_other_records_is_refused(world):
    _fuse(world, "fusion_mean", "mean", ("search", "retrained"), "others")
    with pytest.raises(UsageError, match=r"other records .* fusion_mean"):
        world.evaluate()


def test_a_fusion_of_networks_that_are_no_more_is_refused(world):
    _fuse(world, "fusion_mean", "mean", ("search", "retrained"))
    weights = world.directory.system("search") / fusion_system.WEIGHTS_NAME
    weights.write_bytes(b"others")
    with pytest.raises(UsageError, match=r"search .*emotion_nas_tf\.fuse"):
        world.evaluate()
