"""Manifests and the integrity of shards."""

import dataclasses
import hashlib
import json

import pytest

from tfrecords_builder.config import spectrogram_preset
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import (
    MANIFEST_NAME,
    RecordEntry,
    RecordsManifest,
    Shard,
    check_fingerprint,
    load_manifest,
    verify_shards,
)

CONFIG = spectrogram_preset("paper", "log_mel")
CONTENTS = (b"first shard", b"second one")


@pytest.fixture
def records(tmp_path):
    shards = []
    for index, content in enumerate(CONTENTS):
        (tmp_path / f"{index}.tfrecord").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        shards.append(Shard(f"{index}.tfrecord", digest, 1, len(content)))
    entries = (
        RecordEntry("b", "10", "1", 1, "aa", 1.5, 0, 0),
        RecordEntry("a", "9", "1", 0, "bb", 2.5, 1, 0),
    )
    manifest = RecordsManifest(
        schema_version=1,
        corpus="emodb",
        label_names=("neutral", "angry"),
        features={"spectrogram": dataclasses.asdict(CONFIG)},
        fingerprint=CONFIG.fingerprint(),
        compression="none",
        entries=entries,
        shards=tuple(shards),
    )
    manifest.save(tmp_path)
    return tmp_path, manifest


def edit(records_dir, **changes):
    path = records_dir / MANIFEST_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_manifest_round_trip(records):
    records_dir, manifest = records
    assert load_manifest(records_dir) == manifest


def test_manifest_counts_for_people(records):
    records_dir, _ = records
    counts = json.loads((records_dir / MANIFEST_NAME).read_text())["counts"]
    # Natural order: speaker 9 before speaker 10.
    assert list(counts.items()) == [
        ("9", {"neutral": 1, "angry": 0}),
        ("10", {"neutral": 0, "angry": 1}),
    ]


def test_digest_is_of_all_that_training_sees(records):
    _, manifest = records
    shards = manifest.shards[:1]
    others = [
        manifest,
        dataclasses.replace(manifest, fingerprint="0"),
        dataclasses.replace(manifest, label_names=("angry", "neutral")),
        dataclasses.replace(manifest, shards=shards),
    ]
    assert len({other.digest for other in others}) == len(others)
    assert dataclasses.replace(manifest).digest == manifest.digest


def test_no_records_names_the_command(tmp_path):
    with pytest.raises(UsageError, match=r"tfrecords_builder\.build --corpus"):
        load_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"fingerprint": "0" * 64}, "another front end"),
        ({"features": {"prosody": {}}}, "another front end"),
        ({"entries": [{"id": "a"}]}, "damaged"),
    ],
)
def test_foreign_manifest_is_refused(records, changes, message):
    records_dir, _ = records
    edit(records_dir, **changes)
    with pytest.raises(UsageError, match=message) as caught:
        load_manifest(records_dir)
    assert "--overwrite" in str(caught.value)


def test_half_a_manifest_is_refused(records):
    records_dir, _ = records
    path = records_dir / MANIFEST_NAME
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UsageError, match="damaged"):
        load_manifest(records_dir)


def test_another_front_end_is_refused(records):
    _, manifest = records
    check_fingerprint(manifest, CONFIG.fingerprint(), "the model")
    other = spectrogram_preset("dft278", "log_mel").fingerprint()
    with pytest.raises(UsageError, match="another front end than the model"):
        check_fingerprint(manifest, other, "the model")


def test_whole_shards_pass(records):
    verify_shards(*records)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(CONTENTS[1][:4]), r"truncated \(4 of"),
        (lambda path: path.write_bytes(b"second ONE"), "altered"),
    ],
)
def test_damaged_shard_is_named(records, damage, message):
    records_dir, manifest = records
    damage(records_dir / "1.tfrecord")
    with pytest.raises(UsageError, match=message) as caught:
        verify_shards(records_dir, manifest)
    assert "1.tfrecord" in str(caught.value)
    assert "0.tfrecord" not in str(caught.value)
