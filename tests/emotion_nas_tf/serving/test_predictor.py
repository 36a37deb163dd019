"""Predictions: what the network says of a recording, or what ails it."""

import json
import shutil

import numpy as np
import pytest
import soundfile
from serving_data import LABELS, RATE, voice

from emotion_nas_tf.serving.predictor import Predictor
from tfrecords_builder.audio import AudioError, load_audio
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.spectrogram import Spectrogram


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
    soundfile.write(path, (loudness * voice(1)).clip(-1, 1), RATE)
    assert Predictor(exported.path).predict(path).notes == note


def test_a_folder_is_no_audio_file(exported, tmp_path):
    with pytest.raises(AudioError, match="is a folder; name audio files"):
        Predictor(exported.path).predict(tmp_path)


def test_reads_no_more_of_a_file_than_it_hears(exported, tmp_path, monkeypatch):
    """An hour costs what nine seconds cost."""
    path = tmp_path / "hour.flac"
    soundfile.write(path, np.tile(voice(10), 60), RATE)
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


def test_serves_batches_padded_with_zeros(exported):
    predictor = Predictor(exported.path)
    serve = predictor._model.signatures["serving_default"]
    short, long = voice(0.5), voice(1.5)
    batch = np.zeros((2, len(long)), np.float32)
    batch[0, : len(short)], batch[1] = short, long
    both = serve(waveform=batch)["probabilities"].numpy()
    alone = serve(waveform=short[None])["probabilities"].numpy()
    np.testing.assert_allclose(both[0], alone[0], atol=1e-6)


def test_refuses_a_model_mixed_from_two_exports(exported, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(exported.path, mixed)
    path = mixed / "assets" / "metadata.json"
    path.write_text(path.read_text().replace('"fold": 2', '"fold": 3'))
    with pytest.raises(UsageError, match="mixed from two exports"):
        Predictor(mixed)


def test_refuses_a_missing_model(tmp_path):
    with pytest.raises(UsageError, match=r"emotion_nas_tf\.export"):
        Predictor(tmp_path / "nowhere")


def test_refuses_a_damaged_model(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(UsageError, match="damaged"):
        Predictor(tmp_path)
