"""Small utterances of different lengths, for the tests of the second stream."""

import dataclasses
from pathlib import Path

import numpy as np

from emotion_nas_tf.data.sequences import Sequences
from emotion_nas_tf.training.recurrent_data import RecurrentData
from tfrecords_builder import schema
from tfrecords_builder.config import (
    SequenceConfig,
    SpectrogramConfig,
    fingerprint,
)
from tfrecords_builder.records import RecordEntry, RecordsManifest
from tfrecords_builder.writer import write_shard

LABEL_NAMES = ("neutral", "angry", "sad")
# As those of `conftest`.
SPECTROGRAM = SpectrogramConfig(
    "paper", "magnitude", 8, 8, 32, 1, num_features=12, num_columns=12
)
SEQUENCE = SequenceConfig("logmel", "", "", "", 5, 4, num_frames=20)


def make_sequences(
    number: int, seed: int, speakers: str = "ab", size: int = SEQUENCE.size
) -> Sequences:
    """A class is the feature that is high, around 3 instead of 2."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(3, 20, number).astype(np.int32)
    labels = (np.arange(number) % len(LABEL_NAMES)).astype(np.int32)
    frames = generator.normal(2, 0.5, (lengths.sum(), size))
    frames[np.arange(len(frames)), np.repeat(labels, lengths)] += 1
    return Sequences(
        frames.astype(np.float32),
        lengths,
        labels,
        tuple(f"u{index}" for index in range(number)),
        tuple(speakers[index % len(speakers)] for index in range(number)),
    )


def make_data() -> RecurrentData:
    """26 utterances train, 10 validate."""
    return RecurrentData(
        make_sequences(26, 0), make_sequences(10, 1, "c"), LABEL_NAMES, SEQUENCE
    )


def write_sequence_records(
    folder: Path, sequence: SequenceConfig = SEQUENCE, loudness: float = 0.0
) -> Sequences:
    """Records of 36 such utterances, four speakers in two sessions.

    Args:
      folder: where to.
      sequence: the features over time.
      loudness: of the spectrograms, which are noise.
    """
    sequences = make_sequences(36, 0, "abcd", sequence.size)
    generator = np.random.default_rng(1)
    features = {
        "spectrogram": dataclasses.asdict(SPECTROGRAM),
        "sequence": dataclasses.asdict(sequence),
    }
    fields = schema.record_fields(features)
    entries, examples = [], []
    ends = np.cumsum(sequences.lengths)
    for index, (end, length) in enumerate(
        zip(ends, sequences.lengths, strict=True)
    ):
        speaker = sequences.speakers[index]
        known = {
            "id": sequences.ids[index],
            "speaker": speaker,
            "session": str(1 + "abcd".index(speaker) // 2),
            "label": int(sequences.labels[index]),
        }
        arrays = {
            "spectrogram": generator.normal(0, loudness, (12, 12)).astype("f4"),
            "sequence": sequences.frames[end - length : end],
            "sequence_length": int(length),
        }
        examples.append(schema.encode(fields, {**known, **arrays}))
        entries.append(
            RecordEntry(
                **known,
                content_sha256=f"{index}",
                duration_seconds=1.0,
                shard=0,
                position=index,
                sequence_length=int(length),
            )
        )
    shard = write_shard(folder / "all.tfrecord", examples, "none")
    RecordsManifest(
        schema_version=2,
        corpus="manifest",
        label_names=LABEL_NAMES,
        features=features,
        fingerprint=fingerprint(
            {"spectrogram": dataclasses.asdict(SPECTROGRAM)}
        ),
        compression="none",
        entries=tuple(entries),
        shards=(shard,),
    ).save(folder)
    return sequences
