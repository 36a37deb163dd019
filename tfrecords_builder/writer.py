"""Shards of records, with their checksums."""

import errno
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import replacing, sha256
from tfrecords_builder.records import Shard


def write_shard(
    path: Path, examples: Iterable[bytes], compression: str
) -> Shard:
    """Writes a shard, whole or not at all, and describes it.

    Args:
      path: where the shard goes; an old one there is replaced.
      examples: serialised examples, see `schema.encode`.
      compression: `none` or `gzip`.

    Raises:
      OSError: when the disk is full.
      WorkError: when TensorFlow cannot write for another reason.
    """
    num_records = 0
    with replacing(path) as temporary:
        try:
            with tf.io.TFRecordWriter(
                str(temporary), tf_compression(compression)
            ) as writer:
                for example in examples:
                    writer.write(example)
                    num_records += 1
        except tf.errors.ResourceExhaustedError as error:
            raise OSError(
                errno.ENOSPC, "No space left on device", str(path)
            ) from error
        except tf.errors.OpError as error:
            raise WorkError(
                f"Shard {path} could not be written: {error.message}. Nothing "
                "half-written was kept; mend that and run the command again."
            ) from error
        digest = sha256(temporary)
        num_bytes = temporary.stat().st_size
    return Shard(path.name, digest, num_records, num_bytes)


def tf_compression(compression: str) -> str:
    """TensorFlow's name of a compression."""
    return {"none": "", "gzip": "GZIP"}[compression]
