"""From records to arrays: the utterances of one split, in memory.

A split of any speech corpus fits: 5,531 utterances of IEMOCAP take 434 MB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrecords_builder import schema
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.records import (
    RecordEntry,
    RecordsManifest,
    verify_shards,
)
from tfrecords_builder.writer import tf_compression

_BATCH = 64


@dataclass(frozen=True)
class Split:
    """Utterances ready to be trained on or tested.

    Attributes:
      features: (n, 140, 140, 1) float32: frequency, time, one channel.
      labels: (n,) int32 class indices.
      ids: the utterances'.
      speakers: the utterances'.
    """

    features: np.ndarray
    labels: np.ndarray
    ids: tuple[str, ...]
    speakers: tuple[str, ...]


def load_split(
    records_dir: Path, manifest: RecordsManifest, indices: Sequence[int]
) -> Split:
    """Reads utterances, each shard once.

    Args:
      records_dir: the folder of `manifest`.
      manifest: from `load_manifest`.
      indices: which of `manifest.entries`, in the order of the result.

    Raises:
      UsageError: when a shard is damaged or does not hold what the manifest
        says; `verify_shards` finds damage before any work.
      WorkError: when undamaged shards cannot be read.
    """
    entries = [manifest.entries[index] for index in indices]
    name = "spectrogram"
    fields = schema.record_fields({name: manifest.features[name]})
    shape = next(f.shape for f in fields if f.name == name)
    features = np.zeros((len(entries), *shape, 1), np.float32)
    for place, example in read_utterances(
        records_dir, manifest, entries, fields
    ):
        features[place, ..., 0] = example[name]
    return Split(
        features,
        np.array([entry.label for entry in entries], np.int32),
        tuple(entry.id for entry in entries),
        tuple(entry.speaker for entry in entries),
    )


def read_utterances(
    records_dir: Path,
    manifest: RecordsManifest,
    entries: Sequence[RecordEntry],
    fields: tuple[schema.Field, ...],
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Yields position in `entries` and example, in the order on disk.

    Each shard is read once. Raises as `load_split`.
    """
    found = {}
    # The shards needed, one after the other, are one row of records.
    shards = sorted({entry.shard for entry in entries})
    sizes = [manifest.shards[shard].num_records for shard in shards]
    start = dict(zip(shards, np.cumsum([0, *sizes])[:-1], strict=True))
    rows = np.array([start[e.shard] + e.position for e in entries], np.int64)
    first = 0
    for batch in _read(records_dir, manifest, shards, fields):
        last = first + len(batch["id"])
        for place in np.flatnonzero((rows >= first) & (rows < last)):
            row = rows[place] - first
            example = {name: values[row] for name, values in batch.items()}
            found[place] = (example["id"].decode(), example["label"])
            yield place, example
        first = last
    _check(records_dir, manifest, entries, found)


def _read(
    records_dir: Path,
    manifest: RecordsManifest,
    shards: Sequence[int],
    fields: tuple[schema.Field, ...],
) -> Iterator[dict[str, np.ndarray]]:
    """Yields batches of the shards' examples, in their order."""
    paths = [str(Path(records_dir) / manifest.shards[i].name) for i in shards]
    dataset = (
        tf.data.TFRecordDataset(
            tf.constant(paths, tf.string),
            compression_type=tf_compression(manifest.compression),
        )
        .batch(_BATCH)
        .map(lambda batch: schema.parse(fields, batch))
        .prefetch(2)
    )
    try:
        yield from dataset.as_numpy_iterator()
    except tf.errors.OpError as error:
        # Names the shard, which TensorFlow does not always do.
        verify_shards(records_dir, manifest)
        raise WorkError(
            f"Records in {records_dir} cannot be read: {error.message}"
        ) from error


def _check(
    records_dir: Path,
    manifest: RecordsManifest,
    entries: Sequence[RecordEntry],
    found: dict[int, tuple[str, int]],
):
    """Compares ids and classes that were read with the manifest's."""
    for place, entry in enumerate(entries):
        if found.get(place) != (entry.id, entry.label):
            raise UsageError(
                f"{manifest.shards[entry.shard].name} in {records_dir} does "
                f"not hold {entry.id} (class "
                f"{manifest.label_names[entry.label]}) where the manifest "
                "says. Build the records again with --overwrite."
            )
