"""Export: the model answers as the network, or there is none."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from serving_data import LABELS, RATE

from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.serving import assembling, exporting, selection
from emotion_nas_tf.serving.predictor import Predictor
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.spectrogram import Spectrogram


def test_reloaded_model_equals_the_network_on_real_files(exported, clips):
    assert exported.num_clips == len(clips) == 3
    assert "on 3 recordings, one by one and in a" in exported.to_text()
    assert exported.max_difference <= 1e-5
    assert exported.path.name == "model"
    # Nothing but the model: no temporary folder stays.
    assert list(exported.path.parent.iterdir()) == [exported.path]


def test_model_carries_labels_front_end_and_genotype(exported, system):
    labels = exported.path / "assets" / "labels.txt"
    assert labels.read_text("utf-8").split() == list(LABELS)
    metadata = Predictor(exported.path).metadata
    _, info = system
    assert metadata["label_names"] == list(LABELS)
    assert metadata["sample_rate_hz"] == RATE
    assert (metadata["fold"], metadata["test_speaker"]) == (2, "08")
    assert metadata["fusion"] is None
    [(name, stream)] = metadata["streams"].items()
    assert (name, stream["heard_seconds"]) == ("spectrogram", 8.0)
    assert stream["fingerprint"] == info.fingerprint
    assert stream["genotype"] == json.loads(info.genotype.to_json())
    again = Spectrogram.from_config({"config": stream["features"]})
    assert again.config == info.spectrogram


def test_exports_over_an_earlier_export_and_nothing_else(
    system, tmp_path, monkeypatch
):
    monkeypatch.setattr(assembling, "load_system", lambda *_: system)
    monkeypatch.setattr(
        exporting,
        "ask_in_fresh_process",
        lambda _, waveforms: _answers(system, waveforms),
    )
    directory = RunDirectory(tmp_path).test(2, "08")
    killed = directory.path / ".model.unfinished-ab12" / "model"
    killed.mkdir(parents=True)
    for _ in range(2):
        export = exporting.export_system(directory, "search")
        assert "waveforms (no recording was named)" in export.to_text()
        assert "spectrogram: retrained" in export.to_text()
        assert export.num_clips == selection.NUM_CLIPS
        assert list(directory.path.iterdir()) == [export.path]
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is no exported model"):
        exporting.export_system(directory, output=tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.tex").exists()


@pytest.mark.parametrize("wrong", [1e-4, np.nan])
def test_a_model_that_differs_is_not_exported(
    system, tmp_path, monkeypatch, wrong
):
    monkeypatch.setattr(assembling, "load_system", lambda *_: system)
    monkeypatch.setattr(
        exporting,
        "ask_in_fresh_process",
        lambda _, waveforms: _answers(system, waveforms, wrong),
    )
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(WorkError, match="Nothing was exported"):
        exporting.export_system(directory)
    assert list(directory.path.iterdir()) == []


def test_a_full_disk_leaves_nothing(system, tmp_path, monkeypatch):
    def save(_, path, **__):
        Path(path).mkdir()
        raise tf.errors.ResourceExhaustedError(
            None, None, f"{path}/variables; No space left on device"
        )

    monkeypatch.setattr(assembling, "load_system", lambda *_: system)
    monkeypatch.setattr(tf.saved_model, "save", save)
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(WorkError, match="The disk is full"):
        exporting.export_system(directory)
    assert list(directory.path.iterdir()) == []


def test_refuses_a_network_of_another_front_end(system, tmp_path, monkeypatch):
    network, info = system
    other = SimpleNamespace(**{**vars(info), "fingerprint": "0" * 64})
    monkeypatch.setattr(assembling, "load_system", lambda *_: (network, other))
    with pytest.raises(UsageError, match="version of the front end"):
        exporting.export_system(RunDirectory(tmp_path).test(2, "08"))


def _answers(system, waveforms, wrong=0.0):
    network, info = system
    front_end = Spectrogram(info.spectrogram)
    logits = np.concatenate(
        [network(front_end(w[None])[..., None]) for w in waveforms]
    )
    return {"alone": {"probabilities": tf.nn.softmax(logits) + wrong}}
