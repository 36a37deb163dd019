"""Splits read from small shards written here."""

import dataclasses

import numpy as np
import pytest

from emotion_nas_tf.data.pipeline import load_split
from tfrecords_builder import schema
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry, RecordsManifest
from tfrecords_builder.writer import write_shard

# 2 x 3 features instead of 140 x 140.
CONFIG = SpectrogramConfig(
    "paper", "magnitude", 8, 8, 8, 1, num_features=2, num_columns=3
)


def features_of(index):
    return np.arange(6, dtype=np.float32).reshape(2, 3) + 10 * index


def write_records(records_dir, compression="none", num_records=100):
    """Shards of 70 records, so that one is read in two batches."""
    features = {"spectrogram": dataclasses.asdict(CONFIG)}
    fields = schema.record_fields(features)
    entries, shards = [], []
    for start in range(0, num_records, 70):
        examples = []
        for index in range(start, min(start + 70, num_records)):
            known = {
                "id": f"u{index}",
                "speaker": f"s{index % 3}",
                "session": "1",
                "label": index % 4,
            }
            values = {**known, "spectrogram": features_of(index)}
            examples.append(schema.encode(fields, values))
            entries.append(
                RecordEntry(
                    **known,
                    content_sha256="",
                    duration_seconds=1.0,
                    shard=len(shards),
                    position=index - start,
                )
            )
        path = records_dir / f"{len(shards)}.tfrecord"
        shards.append(write_shard(path, examples, compression))
    return RecordsManifest(
        schema_version=1,
        corpus="synthetic",
        label_names=("neutral", "angry", "happy", "sad"),
        features=features,
        fingerprint=CONFIG.fingerprint(),
        compression=compression,
        entries=tuple(entries),
        shards=tuple(shards),
    )


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_split_is_in_the_order_asked_for(tmp_path, compression):
    manifest = write_records(tmp_path, compression)
    indices = [99, 0, 69, 70, 65, 3]
    split = load_split(tmp_path, manifest, indices)
    assert split.features.shape == (6, 2, 3, 1)
    assert split.features.dtype == np.float32
    assert split.labels.dtype == np.int32
    for place, index in enumerate(indices):
        np.testing.assert_array_equal(
            split.features[place, ..., 0], features_of(index)
        )
    np.testing.assert_array_equal(split.labels, [3, 0, 1, 2, 1, 3])
    assert split.ids == ("u99", "u0", "u69", "u70", "u65", "u3")
    assert split.speakers == ("s0", "s0", "s0", "s1", "s2", "s0")


def test_only_the_shards_needed_are_read(tmp_path):
    manifest = write_records(tmp_path)
    (tmp_path / "0.tfrecord").unlink()
    assert load_split(tmp_path, manifest, [75]).ids == ("u75",)
    with pytest.raises(UsageError, match=r"0\.tfrecord is missing"):
        load_split(tmp_path, manifest, [75, 3])


def test_damaged_shard_is_named(tmp_path):
    manifest = write_records(tmp_path)
    path = tmp_path / "1.tfrecord"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"1\.tfrecord is altered"):
        load_split(tmp_path, manifest, [99])


def test_other_records_than_the_manifest_says(tmp_path):
    manifest = write_records(tmp_path)
    (tmp_path / "1.tfrecord").replace(tmp_path / "0.tfrecord")
    with pytest.raises(UsageError, match=r"0\.tfrecord .* not hold u2 "):
        load_split(tmp_path, manifest, [2])


def test_an_empty_split(tmp_path):
    split = load_split(tmp_path, write_records(tmp_path), [])
    assert split.features.shape == (0, 2, 3, 1)
    assert split.ids == ()
