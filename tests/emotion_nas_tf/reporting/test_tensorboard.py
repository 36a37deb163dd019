"""What TensorBoard is given of a test, read back from its files."""

import csv
import json
import wave

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.answers_on_disk import Answers
from emotion_nas_tf.reporting import tensorboard
from emotion_nas_tf.reporting.embeddings import write_embeddings
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest

LABELS = ["neutral", "angry", "sad"]
# Three of speaker c, who is tested in fold 2: the second is misheard.
ANSWERS = [
    ("u2", "neutral", [0.8, 0.1, 0.1]),
    ("u6", "angry", [0.6, 0.3, 0.1]),
    ("u10", "sad", [0.1, 0.2, 0.7]),
]


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    test = run.test(2, "c")
    folder = test.system("retrained")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"epochs": 7, "records": "x"}')
    matrix = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]])
    test.metrics.write_text(
        json.dumps(
            {
                "schema_version": results.SCHEMA_VERSION,
                "fold": 2,
                "test_speaker": "c",
                "validation_speaker": "d",
                "label_names": LABELS,
                "fingerprint": "f",
                "systems": {
                    "retrained": results.describe_matrix(matrix, LABELS)
                },
            }
        )
    )
    with test.predictions.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                *("system", "id", "speaker", "label", "predicted"),
                *(f"p_{name}" for name in LABELS),
            ]
        )
        for name, label, probabilities in ANSWERS:
            writer.writerow(["retrained", name, "c", label, "", *probabilities])
    return run


def _values(run):
    folder = run.test(2, "c").path / "tensorboard/retrained"
    return {
        value.tag: value
        for path in folder.glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }


def test_precision_and_recall_by_hand():
    answers = Answers(
        ("a", "b", "c"),
        np.array([1, 1, 0]),
        np.array([[0.1, 0.9], [0.6, 0.4], [0.3, 0.7]]),
    )
    # Thresholds 0, 0.5, 1 of class 1.
    np.testing.assert_allclose(
        answers.precision_recall(1, 3),
        [
            [2, 1, 0],
            [1, 1, 0],
            [0, 0, 1],
            [0, 1, 2],
            [2 / 3, 1 / 2, 0],
            [1, 1 / 2, 0],
        ],
        rtol=1e-6,
    )
    # Wrong are b (sure by 0.6) and c (by 0.7).
    assert answers.mistakes().tolist() == [2, 1]


def test_without_records_numbers_and_drawings_alone(run):
    text = tensorboard.write_summaries(run, run.path / "nowhere")
    assert "no clips, no points" in text
    values = _values(run)
    assert tf.make_ndarray(values["test/UA"].tensor) == pytest.approx(2 / 3)
    curve = tf.make_ndarray(values["PR curve/angry"].tensor)
    assert curve.shape == (6, 101)
    # At 0.3 the one angry utterance is still found, at 0.31 no longer.
    assert curve[5, 30] == 1
    assert curve[5, 31] == 0
    assert values["PR curve/sad"].metadata.plugin_data.plugin_name == (
        "pr_curves"
    )
    settings = values["_hparams_/session_start_info"].metadata.plugin_data
    assert b"epochs" in settings.content
    assert b"records" not in settings.content
    width = tf.make_ndarray(values["confusion"].tensor)[0]
    assert int(width) <= 350


def test_clips_and_points_with_records(run, small_records, monkeypatch):
    manifest = load_manifest(small_records)
    path = run.path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        samples = np.sin(np.arange(8_000) / 10) * 9_000
        file.writeframes(samples.astype("<i2").tobytes())
    entries = {entry.id: entry for entry in manifest.entries}
    object.__setattr__(entries["u6"], "path", str(path))
    monkeypatch.setattr(tensorboard, "records_of", lambda *_: manifest)
    points = np.arange(2.0 * len(manifest.entries)).reshape(-1, 2)
    monkeypatch.setattr(tensorboard, "embed", lambda *_: points)
    info = run.test(2, "c").info("retrained")
    info.write_text("{}")
    assert "1 misheard clip" in tensorboard.write_summaries(run, small_records)
    clip = _values(run)["misheard/angry heard as neutral: u6"]
    assert "neutral 60%" in clip.metadata.summary_description
    sound, _ = tf.audio.decode_wav(tf.make_ndarray(clip.tensor)[0, 0])
    np.testing.assert_allclose(sound[:, 0], samples / 32_768, atol=1e-3)
    folder = run.test(2, "c").path / "tensorboard/retrained"
    rows = (folder / "metadata.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["speaker", "emotion", "part", "utterance"]
    assert rows[1].split("\t") == ["a", "neutral", "training", "u0"]
    assert rows[3].split("\t") == ["c", "neutral", "test", "u2"]
    assert rows[4].split("\t") == ["d", "neutral", "validation", "u3"]
    np.testing.assert_allclose(
        np.loadtxt(folder / "embeddings.tsv", delimiter="\t"), points
    )


def test_what_tensorboard_does_not_show_at_once_is_said(run, monkeypatch):
    # One folder of events is written.
    hint = f"one fold, --logdir={run.path / 'fold_2'}."
    assert hint not in tensorboard.write_summaries(run, run.path / "nowhere")
    monkeypatch.setattr(tensorboard, "_MOST_SHOWN", 0)
    assert hint in tensorboard.write_summaries(run, run.path / "nowhere")


def test_names_in_the_projector_are_quoted(tmp_path, small_records):
    from emotion_nas_tf.data.folds import make_folds

    manifest = load_manifest(small_records)
    write_embeddings(
        tmp_path,
        'a "b"',
        np.zeros((len(manifest.entries), 2)),
        manifest,
        make_folds(manifest, 1)[0],
    )
    text = (tmp_path / "projector_config.pbtxt").read_text()
    assert "tensor_name: \"a 'b'\"" in text


def test_refuses_a_run_without_a_test(tmp_path):
    with pytest.raises(UsageError, match="No test of the run"):
        tensorboard.write_summaries(RunDirectory(tmp_path), tmp_path)
