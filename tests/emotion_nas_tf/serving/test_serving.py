"""Export and predict: a tiny network through the whole of serving."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from emotion_nas_tf.config import PredictConfig
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.serving import (
    assembling,
    exporting,
    many_predictions,
    selection,
)
from emotion_nas_tf.serving.metadata import read_metadata
from emotion_nas_tf.serving.predictor import Predictor
from emotion_nas_tf.serving.recordings import find_recordings
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
        system="retrained",
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
        patch.setattr(assembling, "load_system", lambda *_: system)
        run = RunDirectory(tmp_path_factory.mktemp("run"))
        return exporting.export_system(
            run.test(2, "08"), clips=selection.Clips(tuple(clips))
        )


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


def test_reads_no_more_of_a_file_than_it_hears(exported, tmp_path, monkeypatch):
    """An hour costs what nine seconds cost."""
    path = tmp_path / "hour.flac"
    soundfile.write(path, np.tile(_voice(10), 60), RATE)
    predictor = Predictor(exported.path)
    reads = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda file, frames, **kwargs: (
            reads.append(frames) or read(file, frames, **kwargs)
        ),
    )
    prediction = predictor.predict(path)
    assert prediction.duration_seconds == 600.0
    assert sum(reads) <= 10 * RATE


def test_predicts_many_as_it_predicts_one(exported, clips, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.touch()
    predictor = Predictor(exported.path)
    paths = [clips[0], broken, *clips[1:], clips[1]]
    [answers] = predictor.predict_many(paths, batch_size=3)
    assert [str(path) for path in paths] == [
        str(broken) if isinstance(each, AudioError) else each.path
        for each in answers
    ]
    for path, answer in zip(paths, answers, strict=True):
        if path == broken:
            continue
        alone = predictor.predict(path)
        assert answer.label == alone.label
        np.testing.assert_allclose(
            list(answer.probabilities.values()),
            list(alone.probabilities.values()),
            atol=1e-6,
        )
    # Windows of two batches, in the order of the files.
    windows = list(predictor.predict_many([clips[1]] * 5, batch_size=1))
    assert [len(window) for window in windows] == [2, 2, 1]


@pytest.mark.parametrize("version", [1, 3])
def test_reads_models_of_earlier_releases_alone(tmp_path, version):
    metadata = {
        "metadata_version": version,
        "duration_seconds": 8.0,
        "fingerprint": "ab",
        "spectrogram": {},
    }
    answer = {"metadata": tf.constant(json.dumps(metadata))}
    model = SimpleNamespace(
        signatures={"serving_default": None, "metadata": lambda: answer}
    )
    if version == 3:
        with pytest.raises(UsageError, match="another release"):
            read_metadata(model, tmp_path)
        return
    [(name, stream)] = read_metadata(model, tmp_path)["streams"].items()
    assert (name, stream["heard_seconds"]) == ("spectrogram", 8.0)
    assert stream["fingerprint"] == "ab"


def test_refuses_a_model_mixed_from_two_exports(exported, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(exported.path, mixed)
    path = mixed / "assets" / "metadata.json"
    path.write_text(path.read_text().replace('"fold": 2', '"fold": 3'))
    with pytest.raises(UsageError, match="mixed from two exports"):
        Predictor(mixed)


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


def run_predict(model, *arguments):
    return subprocess.run(
        [
            *(sys.executable, "-m", "emotion_nas_tf.predict"),
            *(f"--model={model}", *map(str, arguments)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_predict_names_broken_files_and_predicts_the_others(
    exported, clips, tmp_path
):
    text = tmp_path / "notes.wav"
    text.write_text("I am no audio.\n" * 40)
    process = run_predict(exported.path, "--json", clips[0], text, clips[1])
    assert process.returncode == 1
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [line["path"] for line in lines] == [str(c) for c in clips[:2]]
    assert sum(lines[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert "notes.wav" in process.stderr
    assert f"Note: {clips[0]}: it lasts 9.5 s" in process.stderr
    assert "1 of 3 files could not be predicted" in process.stderr
    assert "Traceback" not in process.stderr


def test_predict_writes_a_table_and_goes_on_with_it(exported, tmp_path):
    audio = tmp_path / "audio"
    audio.mkdir()
    for i in range(3):
        soundfile.write(audio / f"{i}.wav", _voice(0.2 + i / 10), RATE)
    (audio / "10.wav").touch()
    output = tmp_path / "out" / "all.csv"
    process = run_predict(exported.path, audio, f"--output={output}")
    assert process.returncode == 1, process.stderr
    assert "1 of 4 files could not be predicted" in process.stderr
    assert "4 rows, 4 of them new (4 files, " in process.stdout
    assert "times faster than real time" in process.stdout
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == [
        *("0.wav", "1.wav", "2.wav", "10.wav")
    ]
    assert "10.wav: the file has 0 bytes" in rows[3]["error"]
    predictor = Predictor(exported.path)
    for row in rows[:3]:
        alone = predictor.predict(row["path"])
        assert row["predicted"] == alone.label
        for name, value in alone.probabilities.items():
            assert float(row[f"p_{name}"]) == pytest.approx(value, abs=2e-6)
    assert [float(row["seconds"]) for row in rows[:3]] == [0.2, 0.3, 0.4]

    # Killed while it wrote the second row; one file changed, one mended.
    lines = output.read_text("utf-8").splitlines(keepends=True)
    lines[1] = lines[1].replace(rows[0]["predicted"], "KEPT", 1)
    lines[3] = lines[3].replace(rows[2]["predicted"], "CHANGED", 1)
    output.write_text("".join([*lines[:2], lines[3], lines[2][:-9]]), "utf-8")
    soundfile.write(audio / "2.wav", _voice(0.6), RATE)
    soundfile.write(audio / "10.wav", _voice(0.7), RATE)
    config = PredictConfig(exported.path, output=output)
    recordings = find_recordings([str(audio)])
    assert many_predictions.write_table(predictor, recordings, config) == 0
    with output.open(encoding="utf-8", newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["path"] for row in again] == [row["path"] for row in rows]
    assert again[0]["predicted"] == "KEPT"
    assert again[1] == rows[1]
    assert again[2]["predicted"] in LABELS
    assert (again[2]["seconds"], again[3]["seconds"]) == ("0.600", "0.700")
    assert again[3]["error"] == ""


def test_asks_for_what_can_be_exported():
    with pytest.raises(UsageError, match="fusion_mean, fusion_product can"):
        selection.check_system("majority")


@pytest.mark.parametrize(
    ("features", "checkpoint", "expected"),
    [
        (None, None, False),
        ("logmel", None, True),
        ("wav2vec", None, False),
        ("wav2vec", Path("large.pt"), True),
        ("transformers", Path("large.pt"), False),
    ],
)
def test_which_encoders_can_be_part_of_a_model(features, checkpoint, expected):
    sequence = features and SimpleNamespace(features=features)
    assert selection.encoder_is_at_hand(sequence, checkpoint) == expected


def test_exports_the_best_there_is(tmp_path):
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(UsageError, match="holds none of fusion, retrained"):
        selection.system_to_export(directory)
    for system in ("recipe", "retrained", "fusion"):
        directory.info(system).parent.mkdir(parents=True)
        directory.info(system).touch()
        assert selection.system_to_export(directory) == system


def _answers(system, waveforms, wrong=0.0):
    network, info = system
    front_end = Spectrogram(info.spectrogram)
    logits = np.concatenate(
        [network(front_end(w[None])[..., None]) for w in waveforms]
    )
    return {"alone": {"probabilities": tf.nn.softmax(logits) + wrong}}
