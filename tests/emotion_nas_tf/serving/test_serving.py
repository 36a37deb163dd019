"""Export and predict: a tiny network through the whole of serving."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.serving import exporting, selection, signatures
from emotion_nas_tf.serving.predictor import Predictor
from tfrecords_builder.audio import AudioError, load_audio
from tfrecords_builder.config import spectrogram_preset
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.spectrogram import Spectrogram
from tfrecords_builder.records import RecordEntry

LABELS = ("neutral", "wütend", "sad")
RATE = 16_000
ROOT = Path(__file__).resolve().parents[3]


def _voice(seconds, pitch=150.0, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    waves = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3))
    return (0.2 * waves).astype(np.float32)


@pytest.fixture(scope="module")
def system():
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input((140, 140, 1)),
            keras.layers.Conv2D(2, 9, strides=7, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    spectrogram = spectrogram_preset()
    info = SimpleNamespace(
        label_names=LABELS,
        spectrogram=spectrogram,
        fingerprint=spectrogram.fingerprint(),
        genotype=random_genotype(0),
        validation_ua=0.5,
        parameters=network.count_params(),
    )
    return network, info


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for name, audio, rate in (
        ("short.wav", _voice(0.3), RATE),
        ("long.flac", _voice(9.5, 220.0), RATE),
        ("stereo.wav", np.stack([_voice(2, 90.0, 44_100)] * 2, 1), 44_100),
    ):
        soundfile.write(folder / name, audio, rate)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def exported(system, clips, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "load_system", lambda *_: system)
        run = RunDirectory(tmp_path_factory.mktemp("run"))
        return exporting.export_system(
            run.test(2, "08"), clips=selection.Clips(tuple(clips))
        )


def test_reloaded_model_equals_the_network_on_real_files(exported, clips):
    assert exported.num_clips == len(clips) == 3
    assert "on 3 recordings;" in exported.to_text()
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
    assert metadata["fingerprint"] == info.fingerprint
    assert metadata["sample_rate_hz"] == RATE
    assert metadata["genotype"] == json.loads(info.genotype.to_json())
    assert (metadata["fold"], metadata["test_speaker"]) == (2, "08")
    again = Spectrogram.from_config({"config": metadata["spectrogram"]})
    assert again.config == info.spectrogram


def test_predicts_what_the_network_says(exported, system, clips):
    network, info = system
    predictor = Predictor(exported.path)
    for clip in clips:
        waveform = load_audio(clip).waveform
        features = Spectrogram(info.spectrogram)(waveform[None])[..., None]
        logits = network.predict(features, verbose=0)[0].astype(float)
        expected = np.exp(logits) / np.exp(logits).sum()
        prediction = predictor.predict(clip)
        values = list(prediction.probabilities.values())
        np.testing.assert_allclose(values, expected, atol=1e-5)
        assert prediction.label == LABELS[expected.argmax()]
        assert prediction.to_line().startswith(f"{clip}\t{prediction.label}\t")
        assert json.loads(prediction.to_json())["label"] == prediction.label


def test_says_how_much_of_a_long_file_it_hears(exported, clips):
    prediction = Predictor(exported.path).predict(clips[0])
    assert clips[0].name == "long.flac"
    assert (prediction.duration_seconds, prediction.heard_seconds) == (9.5, 8.0)
    assert prediction.notes == ("it lasts 9.5 s, only the first 8 s are heard",)


@pytest.mark.parametrize(
    ("loudness", "note"),
    [
        (0.0, ("it is silent",)),
        (0.005, ("it is very quiet",)),
        (1.0, ()),
        (9.0, ("it is clipped",)),
    ],
)
def test_notes_what_is_wrong_with_a_recording(
    exported, tmp_path, loudness, note
):
    path = tmp_path / "voice.wav"
    soundfile.write(path, (loudness * _voice(1)).clip(-1, 1), RATE)
    assert Predictor(exported.path).predict(path).notes == note


def test_a_folder_is_no_audio_file(exported, tmp_path):
    with pytest.raises(AudioError, match="is a folder; name audio files"):
        Predictor(exported.path).predict(tmp_path)


def test_serves_batches_padded_with_zeros(exported):
    predictor = Predictor(exported.path)
    serve = predictor._model.signatures["serving_default"]
    short, long = _voice(0.5), _voice(1.5)
    batch = np.zeros((2, len(long)), np.float32)
    batch[0, : len(short)], batch[1] = short, long
    both = serve(waveform=batch)["probabilities"].numpy()
    alone = serve(waveform=short[None])["probabilities"].numpy()
    np.testing.assert_allclose(both[0], alone[0], atol=1e-6)


def test_exports_over_an_earlier_export_and_nothing_else(
    system, tmp_path, monkeypatch
):
    monkeypatch.setattr(exporting, "load_system", lambda *_: system)
    monkeypatch.setattr(
        exporting,
        "classify_in_fresh_process",
        lambda _, waveforms: _answers(system, waveforms),
    )
    directory = RunDirectory(tmp_path).test(2, "08")
    killed = directory.path / ".model.unfinished-ab12" / "model"
    killed.mkdir(parents=True)
    for _ in range(2):
        export = exporting.export_system(directory, "search")
        assert "waveforms (no recording was named)" in export.to_text()
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
    monkeypatch.setattr(exporting, "load_system", lambda *_: system)
    monkeypatch.setattr(
        exporting,
        "classify_in_fresh_process",
        lambda _, waveforms: _answers(system, waveforms) + wrong,
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

    monkeypatch.setattr(exporting, "load_system", lambda *_: system)
    monkeypatch.setattr(tf.saved_model, "save", save)
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(WorkError, match="The disk is full"):
        exporting.export_system(directory)
    assert list(directory.path.iterdir()) == []


def test_refuses_a_network_of_another_front_end(system, tmp_path, monkeypatch):
    network, info = system
    other = SimpleNamespace(**{**vars(info), "fingerprint": "0" * 64})
    monkeypatch.setattr(exporting, "load_system", lambda *_: (network, other))
    with pytest.raises(UsageError, match="another version of the front end"):
        exporting.export_system(RunDirectory(tmp_path).test(2, "08"))


def test_clips_of_a_test_are_those_still_there(tmp_path, monkeypatch):
    def entry(index, speaker):
        path = tmp_path / f"{speaker}_{index}.wav"
        if index != 1:
            path.touch()
        return RecordEntry("", speaker, "1", 0, "", 1.0, 0, 0, str(path))

    entries = [entry(i, speaker) for speaker in "ab" for i in range(20)]
    entries.append(RecordEntry("", "c", "1", 0, "", 1.0, 0, 0, "gone.wav"))
    monkeypatch.setattr(
        selection,
        "load_manifest",
        lambda _: SimpleNamespace(entries=entries),
    )
    test = RunDirectory(tmp_path).test(2, "a")
    chosen = selection.clips_of_test(tmp_path, test).paths
    assert len(chosen) == selection.NUM_CLIPS
    assert all(clip.name.startswith("a_") for clip in chosen)
    assert tmp_path / "a_1.wav" not in chosen
    for speaker, why in (("c", "are gone, e.g. gone.wav"), ("d", "no speaker")):
        test = RunDirectory(tmp_path).test(2, speaker)
        clips = selection.clips_of_test(tmp_path, test)
        assert clips.paths == ()
        assert why in clips.why_none


def test_without_a_folder_of_records_there_are_no_clips(tmp_path):
    test = RunDirectory(tmp_path).test(2, "a")
    clips = selection.clips_of_test(tmp_path / "recrods", test)
    assert clips.paths == ()
    assert "no folder of records" in clips.why_none
    assert "recrods" in clips.why_none


def test_damaged_records_are_not_replaced_by_generated_waveforms(tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        selection.clips_of_test(tmp_path, RunDirectory(tmp_path).test(2, "a"))


def test_refuses_a_missing_model(tmp_path):
    with pytest.raises(UsageError, match=r"emotion_nas_tf\.export"):
        Predictor(tmp_path / "nowhere")


def test_refuses_a_damaged_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(UsageError, match="damaged"):
        Predictor(tmp_path)


@pytest.mark.parametrize("content", ["zero", "nan", "text", "no_samples"])
def test_broken_audio_is_named(exported, tmp_path, content):
    path = tmp_path / "broken.wav"
    if content == "zero":
        path.touch()
    elif content == "text":
        path.write_text("I am no audio.\n" * 40)
    else:
        samples = np.full(1000 if content == "nan" else 0, np.nan, np.float32)
        soundfile.write(path, samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"broken\.wav"):
        Predictor(exported.path).predict(path)


def test_predict_names_broken_files_and_predicts_the_others(
    exported, clips, tmp_path
):
    text = tmp_path / "notes.wav"
    text.write_text("I am no audio.\n" * 40)
    process = subprocess.run(
        [
            *(sys.executable, "-m", "emotion_nas_tf.predict", "--json"),
            *(f"--model={exported.path}", clips[0], text, clips[1]),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["path"] for line in lines] == [str(c) for c in clips[:2]]
    assert sum(lines[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert "notes.wav" in process.stderr
    assert f"Note: {clips[0]}: it lasts 9.5 s" in process.stderr
    assert "1 of 3 files could not be predicted" in process.stderr
    assert "Traceback" not in process.stderr


def _answers(system, waveforms):
    network, info = system
    front_end = Spectrogram(info.spectrogram)
    return np.concatenate(
        [signatures.classify(network, front_end, w[None]) for w in waveforms]
    )
