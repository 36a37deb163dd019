"""Records with features over time, built and read."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tfrecords_builder import schema
from tfrecords_builder.config import SequenceConfig, SequenceRequest
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features import feature_cache
from tfrecords_builder.features.log_mel import LogMelFrames
from tfrecords_builder.features.pooling import pool
from tfrecords_builder.records import MANIFEST_NAME, load_manifest


@pytest.fixture
def request_of(tmp_path):
    def make(**changes):
        fields = {"features": "logmel", "cache_dir": tmp_path / "cache"}
        return SequenceRequest(**{**fields, **changes})

    return make


def read(records_dir, manifest):
    fields = schema.record_fields(manifest.features)
    paths = [str(records_dir / shard.name) for shard in manifest.shards]
    dataset = tf.data.TFRecordDataset(paths).batch(10)
    return schema.parse(fields, next(iter(dataset)))


def test_real_frames_are_stored_and_padded_when_read(config, build, request_of):
    # One utterance is longer than the others.
    rng = np.random.default_rng(9)
    waveforms = [rng.normal(scale=0.1, size=n) for n in (4000,) * 4 + (9000,)]
    for index, waveform in enumerate(waveforms):
        soundfile.write(config.corpus_dir / f"{index}.wav", waveform, 16_000)
    manifest, said = build(config, sequence=request_of())
    # 49 frames, by 4: 12 and a remainder.
    assert "logmel, padded to 49 frames, averaged by 4 to 12 x 140" in said
    assert manifest.schema_version == 2
    assert load_manifest(config.records_dir) == manifest
    assert [e.sequence_length for e in manifest.entries] == [6, 6, 6, 6, 12]
    batch = read(config.records_dir, manifest)
    assert batch["sequence"].shape == (5, 12, 140)
    np.testing.assert_array_equal(batch["sequence_length"], [6, 6, 6, 6, 12])
    for index, row in enumerate(batch["sequence"].numpy()):
        path = config.corpus_dir / f"{index}.wav"
        samples = soundfile.read(path, dtype="float32")[0]
        expected = pool(LogMelFrames()(samples), 4)[:12]
        np.testing.assert_allclose(row[: len(expected)], expected, atol=1e-5)
        np.testing.assert_array_equal(row[len(expected) :], 0)
    # The spectrogram's own fingerprint: its networks need no sequences.
    plain = build(config, records_dir=config.records_dir / "plain")[0]
    assert plain.fingerprint == manifest.fingerprint
    assert plain.schema_version == 1


def test_longer_ones_are_cut_at_max_frames(config, build, request_of):
    manifest, said = build(config, sequence=request_of(max_frames=10))
    assert "averaged by 4 to 2 x 140; 5 longer ones are cut" in said
    assert {e.sequence_length for e in manifest.entries} == {2}
    assert read(config.records_dir, manifest)["sequence"].shape == (5, 2, 140)


def test_features_are_kept_by_content(
    config, tmp_path, build, request_of, monkeypatch
):
    calls = []

    def extractor(request):
        frames = LogMelFrames()
        return lambda waveform: calls.append(1) or frames(waveform)

    monkeypatch.setattr(feature_cache, "frame_extractor", extractor)
    first, _ = build(config, sequence=request_of())
    assert len(calls) == 5
    [kept, *_] = (tmp_path / "cache").rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:50])
    again, _ = build(
        config, sequence=request_of(), records_dir=tmp_path / "again"
    )
    # The damaged one only.
    assert len(calls) == 6
    assert again.shards == first.shards
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_other_sequences_are_another_build(config, build, request_of):
    build(config)
    with pytest.raises(
        UsageError, match=r"sequence: None there, logmel .* 4 f"
    ):
        build(config, sequence=request_of())
    build(config, sequence=request_of(), overwrite=True)
    with pytest.raises(UsageError, match="2 frames averaged"):
        build(config, sequence=request_of(pool_frames=2))


def test_a_journal_from_before_sequences_goes_on(config, build):
    build(config)
    path = config.records_dir / "progress.jsonl"
    plan, *lines = path.read_text().splitlines()
    plan = json.loads(plan)
    assert plan.pop("sequence", "absent") is None
    rows = [json.loads(line) for line in lines]
    for row in rows:
        assert row.pop("num_frames") == []
    text = "".join(json.dumps(row) + "\n" for row in [plan, *rows])
    path.write_text(text)
    assert "5 utterances are there already" in build(config)[1]


def test_sequences_of_another_version_are_refused(config, build, request_of):
    build(config, sequence=request_of())
    path = config.records_dir / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    manifest["features"]["sequence"]["version"] = 99
    path.write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="have version 99"):
        load_manifest(config.records_dir)


def test_fingerprint_is_of_what_decides_the_numbers():
    config = SequenceConfig("wav2vec", "a.pt", "12ab", "c", 512, 4)
    same = dataclasses.replace(
        config, encoder="b.pt", max_frames=9, num_frames=2
    )
    assert same.fingerprint() == config.fingerprint()
    for change in (
        {"features": "logmel"},
        {"encoder_sha256": "ff"},
        {"output": "z"},
        {"pool_frames": 1},
        {"version": 2},
    ):
        other = dataclasses.replace(config, **change)
        assert other.fingerprint() != config.fingerprint()


def test_wav2vec_needs_a_checkpoint(config, build, request_of):
    with pytest.raises(UsageError, match=r"--download_wav2vec.*logmel"):
        build(config, sequence=request_of(features="wav2vec"))


def test_wav2vec_of_a_file(config, build, request_of, tmp_path):
    from tfrecords_builder.features.wav2vec.checkpoint import write_checkpoint
    from tfrecords_builder.features.wav2vec.extraction import Extractor
    from tfrecords_builder.features.wav2vec.loading import checkpoint_of
    from tfrecords_builder.features.wav2vec.model import Wav2Vec
    from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings

    settings = Wav2VecSettings(((6, 10, 5), (6, 8, 8)), ((7, 2, 1),))
    model = Wav2Vec(settings)
    path = tmp_path / "mine.npz"
    write_checkpoint(path, checkpoint_of(model))
    manifest, said = build(
        config, sequence=request_of(features="wav2vec", encoder=str(path))
    )
    assert "wav2vec mine.npz c" in said
    batch = read(config.records_dir, manifest)
    samples = soundfile.read(config.corpus_dir / "3.wav", dtype="float32")[0]
    expected = pool(Extractor(model)(samples), 4)
    length = int(batch["sequence_length"][3])
    assert length == settings.num_frames(4000) // 4
    np.testing.assert_allclose(
        batch["sequence"][3], expected[:length], atol=1e-5
    )
