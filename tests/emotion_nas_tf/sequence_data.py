"""Small utterances of different lengths, for the tests of the second stream."""

import numpy as np

from emotion_nas_tf.data.sequences import Sequences
from emotion_nas_tf.training.recurrent_data import RecurrentData
from tfrecords_builder.config import SequenceConfig

LABEL_NAMES = ("neutral", "angry", "sad")
SEQUENCE = SequenceConfig("logmel", "", "", "", 5, 4, num_frames=20)


def make_sequences(number: int, seed: int, speakers: str = "ab") -> Sequences:
    """A class is the feature that is high, around 3 instead of 2."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(3, 20, number).astype(np.int32)
    labels = (np.arange(number) % len(LABEL_NAMES)).astype(np.int32)
    frames = generator.normal(2, 0.5, (lengths.sum(), SEQUENCE.size))
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
