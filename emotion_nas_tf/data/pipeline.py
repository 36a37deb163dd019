"""From records to arrays: the utterances of one split, in memory.

A split of any speech corpus fits: 5,531 utterances of IEMOCAP take 434 MB.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrecords_builder import schema
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest
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
      UsageError: when a shard cannot be read or does not hold what the
        manifest says; `verify_shards` finds that before any work.
    """
    entries = [manifest.entries[index] for index in indices]
    wanted = defaultdict(lambda: defaultdict(list))
    for place, entry in enumerate(entries):
        wanted[entry.shard][entry.position].append(place)
    fields = schema.record_fields(
        {"spectrogram": manifest.features["spectrogram"]}
    )
    shape = next(f.shape for f in fields if f.name == "spectrogram")
    features = np.zeros((len(entries), *shape, 1), np.float32)
    found = {}
    for shard, places in wanted.items():
        path = Path(records_dir) / manifest.shards[shard].name
        for position, example in _read(path, fields, manifest.compression):
            for place in places.get(position, ()):
                features[place, ..., 0] = example["spectrogram"]
                found[place] = (example["id"].decode(), int(example["label"]))
    _check(records_dir, manifest, entries, found)
    return Split(
        features,
        np.array([entry.label for entry in entries], np.int32),
        tuple(entry.id for entry in entries),
        tuple(entry.speaker for entry in entries),
    )


def _read(path: Path, fields: tuple[schema.Field, ...], compression: str):
    """Yields (position, one example's values) of a shard."""
    dataset = (
        tf.data.TFRecordDataset(
            str(path), compression_type=tf_compression(compression)
        )
        .batch(_BATCH)
        .map(lambda batch: schema.parse(fields, batch))
        .prefetch(2)
    )
    position = 0
    try:
        for batch in dataset.as_numpy_iterator():
            for row in range(len(batch["id"])):
                yield position, {key: v[row] for key, v in batch.items()}
                position += 1
    except tf.errors.OpError as error:
        raise UsageError(
            f"Shard {path} cannot be read: {error.message}. Run the command "
            "that built the records again: it makes damaged shards anew."
        ) from error


def _check(records_dir, manifest, entries, found):
    for place, entry in enumerate(entries):
        if found.get(place) != (entry.id, entry.label):
            raise UsageError(
                f"{manifest.shards[entry.shard].name} in {records_dir} does "
                f"not hold {entry.id} (class "
                f"{manifest.label_names[entry.label]}) where the manifest "
                "says. Build the records again with --overwrite."
            )
