"""From records to features over time: the utterances of one split, in memory.

Only real frames are kept: 5,531 utterances of IEMOCAP take 1.2 GB; padded to
the longest, 8 GB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from emotion_nas_tf.data.pipeline import read_utterances
from tfrecords_builder import schema
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry, RecordsManifest

NAME = "sequence"

_BLOCK = 65_536


@dataclass(frozen=True)
class Sequences:
    """Utterances ready to be trained on or tested.

    Attributes:
      frames: (total, d) float32: the utterances' real frames, one utterance
        after the other.
      lengths: (n,) int32 frames of each; 0 for an utterance too short for one.
      labels: (n,) int32 class indices.
      ids: the utterances'.
      speakers: the utterances'.
    """

    frames: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    ids: tuple[str, ...]
    speakers: tuple[str, ...]

    @cached_property
    def starts(self) -> np.ndarray:
        """(n,) where each utterance begins in `frames`."""
        return np.cumsum([0, *self.lengths])[:-1]

    def padded(
        self, indices: Sequence[int], num_frames: int | None = None
    ) -> np.ndarray:
        """Some utterances side by side, zeros after their ends.

        Args:
          indices: which ones.
          num_frames: T; None for the longest one's frames, at least 1.

        Returns:
          (len(indices), T, d) float32.
        """
        lengths = self.lengths[indices]
        num_frames = num_frames or max(1, int(lengths.max()))
        shape = (len(lengths), num_frames, self.frames.shape[1])
        batch = np.zeros(shape, np.float32)
        for row, (start, length) in enumerate(
            zip(self.starts[indices], lengths, strict=True)
        ):
            batch[row, :length] = self.frames[start : start + length]
        return batch

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of each feature over all frames, (d,) each."""
        blocks = range(0, len(self.frames), _BLOCK)
        mean = sum(
            self.frames[i : i + _BLOCK].sum(0, dtype=np.float64) for i in blocks
        ) / len(self.frames)
        # After the mean: squares of features far from 0 lose their digits.
        squares = sum(
            np.square(self.frames[i : i + _BLOCK] - mean).sum(0) for i in blocks
        )
        return mean, np.sqrt(squares / len(self.frames))


def load_sequences(
    records_dir: Path, manifest: RecordsManifest, indices: Sequence[int]
) -> Sequences:
    """Reads utterances, each shard once.

    Args:
      records_dir: the folder of `manifest`.
      manifest: from `load_manifest`.
      indices: which of `manifest.entries`, in the order of the result.

    Raises:
      UsageError: when the records have no features over time, a shard is
        damaged or does not hold what the manifest says.
      WorkError: when undamaged shards cannot be read.
    """
    config = sequence_config(manifest)
    entries = [manifest.entries[index] for index in indices]
    lengths = np.array(
        [min(e.sequence_length, config.num_frames) for e in entries], np.int32
    )
    sequences = Sequences(
        np.empty((lengths.sum(), config.size), np.float32),
        lengths,
        np.array([entry.label for entry in entries], np.int32),
        tuple(entry.id for entry in entries),
        tuple(entry.speaker for entry in entries),
    )
    fields = schema.record_fields({NAME: manifest.features[NAME]})
    for place, example in read_utterances(
        records_dir, manifest, entries, fields
    ):
        length = lengths[place]
        _check_length(records_dir, entries[place], example, length)
        start = sequences.starts[place]
        sequences.frames[start : start + length] = example[NAME][:length]
    return sequences


def sequence_config(manifest: RecordsManifest) -> SequenceConfig:
    """What the features over time are.

    Raises:
      UsageError: when the records have none.
    """
    if manifest.sequence is None:
        raise UsageError(
            "These records have no features over time, which the recurrent "
            "stream needs. Build records that do, with\n  python -m "
            "tfrecords_builder.build --sequence_features=logmel ...\nor with "
            "--sequence_features=wav2vec and a checkpoint."
        )
    return manifest.sequence


def _check_length(
    records_dir: Path, entry: RecordEntry, example: dict, length: int
) -> None:
    if example[schema.LENGTH] != length:
        raise UsageError(
            f"{entry.id} has {example[schema.LENGTH]} frames in the records of "
            f"{records_dir}, {length} in their manifest. Build the records "
            "again with --overwrite."
        )
