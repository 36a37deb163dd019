"""Whole builds of a few generated clips."""

import csv
import dataclasses
import errno
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfrecords_builder import builder, journal
from tfrecords_builder.builder import build_records
from tfrecords_builder.config import BuildConfig, spectrogram_preset
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.spectrogram import Spectrogram
from tfrecords_builder.records import load_manifest, verify_shards

REPOSITORY = Path(__file__).resolve().parents[2]
# Session, speaker and label of each clip; two a shard make three shards.
CLIPS = (
    ("1", "anna", "happy"),
    ("1", "anna", "sad"),
    ("1", "boris", "happy"),
    ("1", "boris", "sad"),
    ("2", "clara", "sad"),
)


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "label", "speaker", "session"))
        for index, (session, speaker, label) in enumerate(CLIPS):
            noise = np.random.default_rng(index).normal(scale=0.1, size=4000)
            soundfile.write(folder / f"{index}.wav", noise, 16_000)
            rows.writerow((f"{index}.wav", label, speaker, session))
    return BuildConfig(
        corpus="manifest",
        corpus_dir=folder,
        records_dir=tmp_path / "records",
        spectrogram=spectrogram_preset("dft278", "log_magnitude"),
        num_workers=1,
        utterances_per_shard=2,
    )


def build(config, **changes):
    """Builds quietly; the manifest and what would have been printed."""
    said = []
    config = dataclasses.replace(config, **changes)
    manifest = build_records(config, said.append, said.append)
    return manifest, "\n".join(said)


def run_program(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfrecords_builder.build", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
    }


def test_records_hold_every_utterance(config):
    import tensorflow as tf

    manifest, _ = build(config)
    assert load_manifest(config.records_dir) == manifest
    verify_shards(config.records_dir, manifest)
    assert manifest.label_names == ("happy", "sad")
    assert [shard.num_records for shard in manifest.shards] == [2, 2, 1]
    assert [(e.session, e.speaker, e.label) for e in manifest.entries] == [
        (session, speaker, ("happy", "sad").index(label))
        for session, speaker, label in CLIPS
    ]
    assert [(e.shard, e.position) for e in manifest.entries] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 0),
    ]
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


def test_worker_processes_give_the_same_bits(config, tmp_path):
    build(config)
    other = tmp_path / "other"
    build(config, records_dir=other, num_workers=2)
    # The journal notes shards in the order in which they were finished.
    ours, theirs = digests(config.records_dir), digests(other)
    assert ours.pop(journal.JOURNAL_NAME)
    assert theirs.pop(journal.JOURNAL_NAME)
    assert ours == theirs


def test_a_killed_build_goes_on(config, tmp_path, monkeypatch):
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


def test_a_damaged_shard_is_made_anew(config):
    manifest, _ = build(config)
    shard = config.records_dir / manifest.shards[1].name
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"00001-of-00003.*truncated"):
        verify_shards(config.records_dir, manifest)
    build(config)
    verify_shards(config.records_dir, manifest)


def test_another_build_is_refused_until_overwritten(config):
    build(config)
    mine = config.records_dir / "notes.txt"
    mine.write_text("not ours to remove")
    with pytest.raises(UsageError, match=r"dft278/log_magnitude there.*overw"):
        build(config, spectrogram=spectrogram_preset())
    with pytest.raises(UsageError, match="num_utterances: 5 there, 2 now"):
        build(config, emotions=("happy",))
    soundfile.write(config.corpus_dir / "0.wav", np.ones(4000) / 9, 16_000)
    with pytest.raises(UsageError, match="audio files or front end"):
        build(config)
    manifest, _ = build(config, overwrite=True, utterances_per_shard=5)
    assert load_manifest(config.records_dir) == manifest
    assert len(list(config.records_dir.glob("*.tfrecord"))) == 1
    assert mine.exists()


def test_records_without_a_journal_are_not_replaced(config):
    build(config)
    (config.records_dir / journal.JOURNAL_NAME).unlink()
    before = digests(config.records_dir)
    with pytest.raises(UsageError, match="--overwrite"):
        build(config)
    assert digests(config.records_dir) == before


def test_broken_files_are_skipped_by_name(config):
    (config.corpus_dir / "1.wav").write_text("no audio at all")
    soundfile.write(config.corpus_dir / "2.wav", np.zeros(0), 16_000)
    nan = np.full(4000, np.nan, np.float32)
    soundfile.write(config.corpus_dir / "3.wav", nan, 16_000, subtype="FLOAT")
    manifest, said = build(config)
    assert [(e.speaker, e.label) for e in manifest.entries] == [
        ("anna", 0),
        ("clara", 1),
    ]
    assert [shard.num_records for shard in manifest.shards] == [1, 0, 1]
    intake = json.loads((config.records_dir / "intake.json").read_text())
    assert [broken["reason"] for broken in intake["broken"]] == [
        "unreadable",
        "empty",
        "not_finite",
    ]
    for name in ("1.wav", "2.wav", "3.wav"):
        assert name in said
    # Counted anew, because the corpus' own table counts files.
    table = said.split("In the records:\n")[1]
    assert [line.split() for line in table.splitlines()] == [
        ["speaker", "happy", "sad", "total"],
        ["anna", "1", "0", "1"],
        ["clara", "0", "1", "1"],
        ["all", "1", "1", "2"],
    ]


def test_strict_refuses_broken_files(config):
    (config.corpus_dir / "1.wav").write_text("no audio at all")
    with pytest.raises(WorkError, match=r"(?s)--strict.*1\.wav"):
        build(config, strict=True)
    with pytest.raises(UsageError, match="no manifest"):
        load_manifest(config.records_dir)
    manifest, _ = build(config)
    assert len(manifest.entries) == 4


def test_nothing_usable_is_refused(config):
    for index in range(len(CLIPS)):
        (config.corpus_dir / f"{index}.wav").write_text("no audio")
    with pytest.raises(WorkError, match="None of the 5 audio files"):
        build(config)


def test_unknown_corpus_is_refused(config):
    with pytest.raises(UsageError, match=r"no corpus 'savee'.*emodb"):
        build(config, corpus="savee")


def test_unknown_label_is_refused(config):
    with pytest.raises(UsageError, match=r"foo.*Known: happy, sad"):
        build(config, emotions=("happy", "foo"))


@pytest.mark.parametrize("corpus", ["emodb", "iemocap", "manifest"])
def test_empty_corpus_folder_is_refused(config, tmp_path, corpus):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="empty"):
        build(config, corpus=corpus, corpus_dir=empty)


def test_unwritable_folder_is_refused(config, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="cannot be written"):
        build(config, records_dir=file / "records")
    with pytest.raises(UsageError, match="cannot be written"):
        build(config, records_dir=file)


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="no /dev/full, a disk always full"
)
def test_full_disk_keeps_what_is_finished(config):
    config.records_dir.mkdir()
    # What is written under the second shard's temporary name goes there.
    name = "records-00001-of-00003.tfrecord"
    (config.records_dir / f".{name}.part").symlink_to("/dev/full")
    result = run_program(
        "--corpus=manifest",
        f"--corpus_dir={config.corpus_dir}",
        f"--records_dir={config.records_dir}",
        "--geometry=dft278",
        "--scale=log_magnitude",
        "--utterances_per_shard=2",
    )
    assert result.returncode == 1
    assert "The disk is full" in result.stderr
    assert "Traceback" not in result.stderr
    assert Path("/dev/full").is_char_device()
    finished = [path.name for path in config.records_dir.glob("*.tfrecord")]
    assert finished == ["records-00000-of-00003.tfrecord"]
    _, said = build(config)
    assert "2 utterances are there already" in said


def test_full_disk_while_noting_a_shard(config, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            build(config)
    manifest, _ = build(config)
    verify_shards(config.records_dir, manifest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus=savee"], "should be one of <emodb|iemocap"),
        (["--corpus=emodb"], "--corpus_dir"),
        (["--corpus=synthetic", "emodb"], "Only flags"),
        (["--corpus=emodb", "--geometry=round"], "--geometry"),
    ],
)
def test_program_refuses_flags(tmp_path, arguments, message):
    result = run_program(f"--records_dir={tmp_path}", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
