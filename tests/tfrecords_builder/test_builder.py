"""Whole builds of a few generated clips."""

import hashlib
import json

import numpy as np
import pytest
import soundfile

from tfrecords_builder import builder, journal
from tfrecords_builder.config import spectrogram_preset
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.spectrogram import Spectrogram
from tfrecords_builder.records import load_manifest, verify_shards


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def test_records_hold_every_utterance(config, build):
    import tensorflow as tf

    manifest, said = build(config)
    # Outside session 1 nobody is happy, and session 2 is clara alone.
    assert said.splitlines()[-2:] == [
        "No fold can be tested: there is no utterance of class happy to train "
        "on outside session '1'; session '2' has 1 speaker (clara); holding it "
        "out takes exactly two, one to validate and one to test. Leave the "
        "class out of the records (--emotions of tfrecords_builder.build) or "
        "add audio. Put the speakers into sessions of two (any pairs will do; "
        "--corpus=manifest has a column for it) and build the records again.",
        "Speaker clara has no utterances of happy.",
    ]
    assert load_manifest(config.records_dir) == manifest
    verify_shards(config.records_dir, manifest)
    assert manifest.label_names == ("happy", "sad")
    assert [shard.num_records for shard in manifest.shards] == [2, 2, 1]
    assert [(e.session, e.speaker, e.label) for e in manifest.entries] == [
        ("1", "anna", 0),
        ("1", "anna", 1),
        ("1", "boris", 0),
        ("1", "boris", 1),
        ("2", "clara", 1),
    ]
    assert [(e.shard, e.position) for e in manifest.entries] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    assert manifest.entries[3].path == str(
        (config.corpus_dir / "3.wav").absolute()
    )
    # The last clip once more, by hand.
    samples, _ = soundfile.read(config.corpus_dir / "4.wav", dtype="int16")
    last = manifest.entries[-1]
    assert last.duration_seconds == 0.25
    assert last.content_sha256 == hashlib.sha256(samples.tobytes()).hexdigest()
    path = config.records_dir / "records-00002-of-00003.tfrecord"
    [raw] = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    features = tf.train.Example.FromString(raw).features.feature
    stored = features["spectrogram"].bytes_list.value[0]
    waveform = samples[None].astype(np.float32) / 2**15
    np.testing.assert_allclose(
        np.frombuffer(stored, "<f4").reshape(140, 140),
        Spectrogram(config.spectrogram)(waveform)[0],
        atol=1e-5,
    )
    intake = json.loads((config.records_dir / "intake.json").read_text())
    assert intake["usable"] == 5


def test_worker_processes_give_the_same_bits(config, tmp_path, build):
    build(config)
    other = tmp_path / "other"
    build(config, records_dir=other, num_workers=2)
    # The journal notes shards in the order in which they were finished.
    ours, theirs = digests(config.records_dir), digests(other)
    assert ours.pop(journal.JOURNAL_NAME)
    assert theirs.pop(journal.JOURNAL_NAME)
    assert ours == theirs


def test_a_killed_build_goes_on(config, tmp_path, monkeypatch, build):
    whole = tmp_path / "whole"
    build(config, records_dir=whole)
    real, built = builder._build_shard, []

    def dies_at_the_second(task):
        if task.index == 1:
            raise KeyboardInterrupt
        return real(task)

    def notes(task):
        built.append(task.index)
        return real(task)

    monkeypatch.setattr(builder, "_build_shard", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        build(config)
    with pytest.raises(UsageError, match="no manifest"):
        load_manifest(config.records_dir)
    # Killed once more, while it noted something.
    with (config.records_dir / journal.JOURNAL_NAME).open("a") as file:
        file.write('{"index": 1, "sha')
    monkeypatch.setattr(builder, "_build_shard", notes)
    _, said = build(config)
    assert built == [1, 2]
    assert "2 utterances are there already, 3 to do" in said
    assert digests(config.records_dir) == digests(whole)
    build(config)
    assert built == [1, 2]


def test_a_damaged_shard_is_made_anew(config, build):
    manifest, _ = build(config)
    shard = config.records_dir / manifest.shards[1].name
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"00001-of-00003.*truncated"):
        verify_shards(config.records_dir, manifest)
    build(config)
    verify_shards(config.records_dir, manifest)


def test_another_build_is_refused_until_overwritten(config, build):
    build(config)
    mine = config.records_dir / "notes.txt"
    mine.write_text("not ours to remove")
    with pytest.raises(UsageError, match=r"dft278/log_magnitude there.*overw"):
        build(config, spectrogram=spectrogram_preset())
    with pytest.raises(UsageError, match=r"happy, sad there, sad, happy now"):
        build(config, emotions=("sad", "happy"))
    soundfile.write(config.corpus_dir / "0.wav", np.ones(4000) / 9, 16_000)
    with pytest.raises(UsageError, match="audio files or front end"):
        build(config)
    manifest, _ = build(config, overwrite=True, utterances_per_shard=5)
    assert load_manifest(config.records_dir) == manifest
    assert len(list(config.records_dir.glob("*.tfrecord"))) == 1
    assert mine.exists()


def test_an_unfinished_build_keeps_what_has_not_changed(
    config, tmp_path, monkeypatch, build
):
    real, built = builder._build_shard, []

    def dies_at_the_third(task):
        if task.index == 2:
            raise KeyboardInterrupt
        return real(task)

    def notes(task):
        built.append(task.index)
        return real(task)

    monkeypatch.setattr(builder, "_build_shard", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        build(config)
    soundfile.write(config.corpus_dir / "0.wav", np.ones(4000) / 9, 16_000)
    monkeypatch.setattr(builder, "_build_shard", notes)
    _, said = build(config)
    assert "corpus has changed" in said
    assert "2 utterances are there already, 3 to do" in said
    assert built == [0, 2]
    other = tmp_path / "other"
    build(config, records_dir=other)
    ours, theirs = digests(config.records_dir), digests(other)
    # The journal notes shards in the order in which they were finished.
    assert ours.pop(journal.JOURNAL_NAME) != theirs.pop(journal.JOURNAL_NAME)
    assert ours == theirs


def test_records_without_a_journal_are_not_replaced(config, build):
    build(config)
    (config.records_dir / journal.JOURNAL_NAME).unlink()
    before = digests(config.records_dir)
    with pytest.raises(UsageError, match="--overwrite"):
        build(config)
    assert digests(config.records_dir) == before
