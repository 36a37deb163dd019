"""What a build does with input and folders that are not as they should be."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfrecords_builder import journal
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.records import load_manifest, verify_shards

REPOSITORY = Path(__file__).resolve().parents[2]


def run_program(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfrecords_builder.build", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_broken_files_are_skipped_by_name(config, build):
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
    table = said.split("In the records:\n")[1].splitlines()
    assert [line.split() for line in table[:4]] == [
        ["speaker", "happy", "sad", "total"],
        ["anna", "1", "0", "1"],
        ["clara", "0", "1", "1"],
        ["all", "1", "1", "2"],
    ]
    assert table[4].startswith("No fold can be tested: the records hold 2")
    assert table[5:] == [
        "Speaker anna has no utterances of sad.",
        "Speaker clara has no utterances of happy.",
    ]


def test_strict_refuses_broken_files(config, build):
    (config.corpus_dir / "1.wav").write_text("no audio at all")
    with pytest.raises(WorkError, match=r"(?s)--strict.*1\.wav"):
        build(config, strict=True)
    with pytest.raises(UsageError, match="no manifest"):
        load_manifest(config.records_dir)
    manifest, _ = build(config)
    assert len(manifest.entries) == 4


def test_strict_goes_on_where_a_file_was_mended(config, build):
    table = config.corpus_dir / "manifest.csv"
    (config.corpus_dir / "2.wav").write_text("no audio at all")
    (config.corpus_dir / "4.wav").write_text("nor this")
    with pytest.raises(WorkError, match=r"(?s)2\.wav.*same command") as caught:
        build(config, strict=True)
    # It did not read on to the next shard.
    assert "4.wav" not in str(caught.value)
    assert len(list(config.records_dir.glob("*.tfrecord"))) == 2
    noise = np.random.default_rng(0).normal(scale=0.1, size=4000)
    soundfile.write(config.corpus_dir / "2.wav", noise, 16_000)
    with pytest.raises(WorkError, match=r"4\.wav"):
        build(config, strict=True)
    # The last one's row is removed, and with it a shard.
    table.write_text("".join(table.read_text().splitlines(True)[:-1]))
    manifest, said = build(config, strict=True)
    assert "corpus has changed" in said
    assert [e.id for e in manifest.entries] == ["0", "1", "2", "3"]
    verify_shards(config.records_dir, manifest)
    shards = [path.name for path in config.records_dir.glob("*.tfrecord")]
    assert sorted(shards) == [shard.name for shard in manifest.shards]


def test_strict_tries_a_broken_file_again(config, monkeypatch, build):
    # As chmod mends it: neither size nor time of change differ.
    monkeypatch.setattr(journal, "_state", lambda path: (0, 0))
    whole = (config.corpus_dir / "1.wav").read_bytes()
    (config.corpus_dir / "1.wav").write_text("no audio at all")
    with pytest.raises(WorkError, match=r"1\.wav"):
        build(config, strict=True)
    (config.corpus_dir / "1.wav").write_bytes(whole)
    manifest, _ = build(config, strict=True)
    assert len(manifest.entries) == 5


def test_nothing_usable_is_refused(config, build):
    for index in range(5):
        (config.corpus_dir / f"{index}.wav").write_text("no audio")
    with pytest.raises(WorkError, match="None of the 5 audio files"):
        build(config)


def test_unknown_corpus_is_refused(config, build):
    with pytest.raises(UsageError, match=r"no corpus 'savee'.*emodb"):
        build(config, corpus="savee")


def test_unknown_label_is_refused(config, build):
    with pytest.raises(UsageError, match=r"foo.*Known: happy, sad"):
        build(config, emotions=("happy", "foo"))


@pytest.mark.parametrize("corpus", ["emodb", "iemocap", "manifest"])
def test_empty_corpus_folder_is_refused(config, tmp_path, corpus, build):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="empty"):
        build(config, corpus=corpus, corpus_dir=empty)


def test_unwritable_folder_is_refused(config, tmp_path, build):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="cannot be written"):
        build(config, records_dir=file / "records")
    with pytest.raises(UsageError, match="cannot be written"):
        build(config, records_dir=file)


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="no /dev/full, a disk always full"
)
def test_full_disk_keeps_what_is_finished(config, build):
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


def test_full_disk_while_noting_a_shard(config, monkeypatch, build):
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
