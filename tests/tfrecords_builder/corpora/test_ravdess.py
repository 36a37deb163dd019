"""RAVDESS in trees of our making, with everything that is odd in copies."""

import json

import numpy as np
import pytest
import soundfile

from tfrecords_builder.config import BuildConfig, spectrogram_preset
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError

PAPER_CODES = ("01", "05", "03", "04")


def read(folder, **settings):
    config = BuildConfig("ravdess", folder, folder / "records", **settings)
    return CORPORA["ravdess"](config)


def whole_actor(folder, number, emotions=range(1, 9)):
    """All 60 spoken files of an actor, as the publisher names them."""
    folder = folder / f"Actor_{number:02}"
    folder.mkdir(parents=True)
    for emotion in emotions:
        for intensity in (1,) if emotion == 1 else (1, 2):
            for statement in (1, 2):
                for repetition in (1, 2):
                    parts = (3, 1, emotion, intensity, statement, repetition)
                    name = "-".join(f"{p:02}" for p in (*parts, number))
                    (folder / f"{name}.wav").write_bytes(b"")
    return folder


def test_a_whole_copy(tmp_path):
    for number in range(1, 25):
        whole_actor(tmp_path, number)
    listing = read(tmp_path)
    assert listing.label_names == ("neutral", "angry", "happy", "sad")
    # 96 neutral, 192 of each other emotion; 1440 files in all.
    assert len(listing.utterances) == 96 + 3 * 192
    assert sum(listing.excluded.values()) == 4 * 192
    # Sessions are a man (odd) and a woman each; actors 1 to 24.
    sessions = {u.speaker: u.session for u in listing.utterances}
    assert sessions["01"] == sessions["02"] == "1"
    assert sessions["23"] == sessions["24"] == "12"
    assert "All counts are the published ones." in listing.report
    every = ("neutral", "calm", "happy", "sad", "angry", "fearful")
    every += ("disgusted", "surprised")
    listing = read(tmp_path, emotions=every)
    assert (len(listing.utterances), listing.excluded) == (1440, {})


def test_what_is_odd_is_counted_and_named(tmp_path):
    folder = whole_actor(tmp_path, 1)
    whole_actor(tmp_path, 3, emotions=(1, 3, 4))
    for name in (
        "03-02-05-01-01-01-01.wav",  # song
        "01-01-05-01-01-01-01.wav",  # a video's sound
        "03-01-05-01-01-01-09.wav",  # somebody else's
        "03-01-09-01-01-01-01.wav",  # no such emotion
        "03-01-05-03-01-01-01.wav",  # no such intensity
        "03-01-05-01-01-01.wav",
        "03-01-05-01-01-01-01 copy.wav",
        "._03-01-05-01-01-01-01.wav",
        "notes.txt",
    ):
        (folder / name).write_bytes(b"")
    (tmp_path / "Actor_XX").mkdir()
    # The copy within the copy that one distributor ships.
    whole_actor(tmp_path / "audio_speech_actors_01-24", 1)
    listing = read(tmp_path)
    assert listing.excluded == {
        "another actor's file": 1,
        "emotion calm": 8,
        "emotion disgusted": 8,
        "emotion fearful": 8,
        "emotion surprised": 8,
        "not a RAVDESS file name": 4,
        "song": 1,
        "the sound of a video": 1,
    }
    ids = [u.id for u in listing.utterances]
    assert len(ids) == len(set(ids)) == 28 + 20
    report = "\n".join(listing.report)
    assert "2 of 24 actors" in report
    assert "actor 03 angry 0 instead of 8" in report
    assert "03-01-05-01-01-01-09.wav" in report
    assert {u.session for u in listing.utterances} == {"1"}


def test_actors_in_one_folder_below(tmp_path):
    below = tmp_path / "Audio_Speech_Actors_01-24"
    for number in (1, 2, 3):
        whole_actor(below, number)
    listing = read(tmp_path)
    assert listing == read(below)
    assert "Speaker 03 is alone in session 2" in "\n".join(listing.report)
    whole_actor(tmp_path / "Audio_Song_Actors_01-24", 1)
    with pytest.raises(UsageError, match="Audio_Song_Actors_01-24, Audio_Sp"):
        read(tmp_path)


def test_what_cannot_be_read_is_explained(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere does not exist.*Actor_01/"):
        read(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="No folder of an actor"):
        read(tmp_path)
    (tmp_path / "Actor_01").mkdir()
    with pytest.raises(UsageError, match="No audio in the actors' folders"):
        read(tmp_path)
    (tmp_path / "Actor_01" / "03-02-05-01-01-01-01.wav").write_bytes(b"")
    with pytest.raises(UsageError, match="Left out: 1 x song") as caught:
        read(tmp_path)
    # Spoken files are missing, whatever the labels.
    assert "Actor_01/03-01-05-02-01-01-01.wav" in str(caught.value)
    assert "--emotions" not in str(caught.value)
    (tmp_path / "Actor_01" / "03-01-08-01-01-01-01.wav").write_bytes(b"")
    with pytest.raises(
        UsageError, match=r"1 x emotion surprised.* Choose other labels"
    ):
        read(tmp_path)


def test_48_khz_stereo_and_very_quiet_files(tmp_path, build):
    """Built like any other; the intake report says what they are like."""
    corpus = tmp_path / "corpus"
    noise = np.random.default_rng(0).normal(size=(24_000, 2))
    for actor in ("01", "02"):
        folder = corpus / f"Actor_{actor}"
        folder.mkdir(parents=True)
        for code in PAPER_CODES:
            # At 0.001 full scale an RMS of -60 dBFS; two channels in one.
            level = 0.001 if code == "01" else 0.1
            samples = level * noise[:, : 2 if code == "05" else 1]
            soundfile.write(
                folder / f"03-01-{code}-01-01-01-{actor}.wav",
                np.roll(samples, int(actor + code), axis=0),
                48_000,
            )
    config = BuildConfig(
        corpus="ravdess",
        corpus_dir=corpus,
        records_dir=tmp_path / "records",
        spectrogram=spectrogram_preset(),
        num_workers=1,
    )
    manifest, said = build(config)
    assert len(manifest.entries) == 8
    assert {entry.duration_seconds for entry in manifest.entries} == {0.5}
    report = json.loads((tmp_path / "records" / "intake.json").read_text())
    assert report["sample_rates_hz"] == {"48000": 8}
    assert report["channels"] == {"1": 6, "2": 2}
    quiet = [f"03-01-01-01-01-01-{actor}" for actor in ("01", "02")]
    assert report["flagged"]["very_quiet"] == quiet
    assert "Very quiet       2" in said
    assert quiet[0] in said
