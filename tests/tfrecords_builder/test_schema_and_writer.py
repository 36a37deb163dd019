"""One example through the schema, a few through a shard."""

import dataclasses
import hashlib

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_builder import schema
from tfrecords_builder.config import spectrogram_preset
from tfrecords_builder.writer import tf_compression, write_shard

FIELDS = schema.record_fields(
    {"spectrogram": dataclasses.asdict(spectrogram_preset())}
)
VALUES = {
    "id": "03a01Fä",
    "speaker": "03",
    "session": "1",
    "label": 2,
    "spectrogram": np.arange(19600, dtype=np.float32).reshape(140, 140),
}


def test_schema_round_trip():
    serialized = schema.encode(FIELDS, VALUES)
    assert schema.encode(FIELDS, VALUES) == serialized
    parsed = schema.parse(FIELDS, tf.constant([serialized, serialized]))
    assert set(parsed) == set(VALUES)
    assert parsed["id"].numpy()[1].decode() == VALUES["id"]
    np.testing.assert_array_equal(parsed["label"], [2, 2])
    np.testing.assert_array_equal(
        parsed["spectrogram"][1], VALUES["spectrogram"]
    )


def test_schema_stores_little_endian_bytes():
    example = tf.train.Example.FromString(schema.encode(FIELDS, VALUES))
    stored = example.features.feature["spectrogram"].bytes_list.value[0]
    assert stored[4:8] == bytes.fromhex("0000803f")  # 1.0


@pytest.mark.parametrize(
    "array", [np.zeros((140, 139), np.float32), np.zeros((140, 140))]
)
def test_schema_refuses_other_arrays(array):
    with pytest.raises(ValueError, match="spectrogram must be float32"):
        schema.encode(FIELDS, {**VALUES, "spectrogram": array})


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_shard_is_read_back(tmp_path, compression):
    path = tmp_path / "a.tfrecord"
    examples = [b"one", b"two", b""]
    shard = write_shard(path, examples, compression)
    dataset = tf.data.TFRecordDataset(
        str(path), compression_type=tf_compression(compression)
    )
    assert list(dataset.as_numpy_iterator()) == examples
    content = path.read_bytes()
    assert shard.name == "a.tfrecord"
    assert (shard.num_records, shard.num_bytes) == (3, len(content))
    assert shard.sha256 == hashlib.sha256(content).hexdigest()
    assert write_shard(path, examples, compression) == shard


def test_interrupted_shard_leaves_nothing(tmp_path):
    def examples():
        yield b"one"
        raise KeyboardInterrupt

    path = tmp_path / "a.tfrecord"
    with pytest.raises(KeyboardInterrupt):
        write_shard(path, examples(), "none")
    assert list(tmp_path.iterdir()) == []


def test_interrupted_shard_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_shard(path, (1 // 0 for _ in "a"), "none")
    assert path.read_bytes() == b"old"
