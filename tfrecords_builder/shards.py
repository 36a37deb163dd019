"""What a shard is to be made of, and what came of it. No TensorFlow."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from tfrecords_builder.audio import AudioFacts
from tfrecords_builder.config import (
    SequenceConfig,
    SequenceRequest,
    SpectrogramConfig,
)
from tfrecords_builder.records import Shard
from tfrecords_builder.utterance import Utterance


@dataclass(frozen=True)
class ShardTask:
    """What one shard is made of.

    Attributes:
      index: position among the shards.
      path: the file to write.
      utterances: what goes in, in this order.
      label_names: class names in class order.
      spectrogram: the front end.
      compression: `none` or `gzip`.
      sequence_request: how sequence features are made; None for none.
      sequence: what they are.
    """

    index: int
    path: Path
    utterances: tuple[Utterance, ...]
    label_names: tuple[str, ...]
    spectrogram: SpectrogramConfig
    compression: str
    sequence_request: SequenceRequest | None = None
    sequence: SequenceConfig | None = None


@dataclass(frozen=True)
class BrokenFile:
    """Why an utterance is not in the records."""

    reason: str
    message: str


@dataclass(frozen=True)
class ShardResult:
    """A finished shard.

    Attributes:
      index: position among the shards.
      shard: the file.
      outcomes: for each utterance of the task, what its audio is like or why
        it was skipped.
      num_frames: for each record, the frames of its sequence features before
        cutting and averaging; empty when there are none.
    """

    index: int
    shard: Shard
    outcomes: tuple[AudioFacts | BrokenFile, ...]
    num_frames: tuple[int, ...] = ()

    def to_json(self) -> dict:
        """JSON values from which `from_json` makes an equal result."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict) -> "ShardResult":
        """The inverse of `to_json`."""
        return cls(
            fields["index"],
            Shard(**fields["shard"]),
            tuple(
                BrokenFile(**o) if "reason" in o else AudioFacts(**o)
                for o in fields["outcomes"]
            ),
            tuple(fields.get("num_frames", ())),
        )
