"""Batches of utterances of different lengths, each as long as its longest.

As in `data.batches`, the order is a pure function of seed, epoch and step.
Utterances of similar length share a batch (`recurrent.bucketing`). Every batch
has the same number of rows, so that the time loop is compiled for one.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from emotion_nas_tf.data.batches import (
    epoch_order,
    epochs_left,
    steps_per_epoch,
)
from emotion_nas_tf.data.sequences import Sequences
from emotion_nas_tf.recurrent.bucketing import bucket

# The class of a row that only fills a batch up.
FILLER = -1
_PREFETCH = 2


def sequence_training_batches(
    training: Sequences,
    batch_size: int,
    seed: int,
    first_step: int,
    epochs: int,
    balanced: bool = False,
    num_frames: int | None = None,
    augment: Callable[[int], Callable[..., np.ndarray]] | None = None,
) -> tf.data.Dataset:
    """Batches of a training, from a step to the end.

    Args:
      training: the utterances.
      batch_size: utterances in a step; fewer where there are not as many.
      seed: of the run.
      first_step: steps completed, of all epochs: 0, or where a killed training
        goes on.
      epochs: of the whole training.
      balanced: draw every class equally often.
      num_frames: pad every batch to so many; None to its longest utterance.
      augment: called with each epoch, makes what changes that epoch's
        features, given them and the lengths; see `SequenceMasks.of_epoch`.

    Returns:
      ((features, lengths), labels): (batch, frames, d) float32, (batch,)
      int32 and (batch,) int32.
    """
    rows = min(batch_size, len(training.labels))
    num_steps = steps_per_epoch(len(training.labels), batch_size)

    def generate() -> Iterator[tuple]:
        for epoch, done in epochs_left(first_step, num_steps, epochs):
            order = epoch_order(
                training.labels,
                rows,
                num_steps,
                seed,
                epoch,
                balanced=balanced,
            )
            change = augment(epoch) if augment else None
            batches = bucket(order, training.lengths, seed, epoch)
            for step, batch in enumerate(batches):
                # Also before a step at which a killed training goes on: what
                # is drawn depends on what was drawn before.
                if step < done and not change:
                    continue
                (features, lengths), labels = _batch(
                    training, batch, num_frames
                )
                if change:
                    features = change(features, lengths)
                if step >= done:
                    yield (features, lengths), labels

    return _dataset(generate, training, rows)


def sequence_evaluation_batches(
    sequences: Sequences, batch_size: int = 16, num_frames: int | None = None
) -> tf.data.Dataset:
    """Every utterance once, from the shortest to the longest.

    Returns:
      As `sequence_training_batches`. Rows that fill the last batch up repeat
      an utterance under the class `FILLER`.
    """
    rows = min(batch_size, len(sequences.labels))

    def generate() -> Iterator[tuple]:
        for batch in evaluation_order(sequences, rows):
            features, labels = _batch(
                sequences, np.resize(batch, rows), num_frames
            )
            labels[len(batch) :] = FILLER
            yield features, labels

    return _dataset(generate, sequences, rows)


def evaluation_order(sequences: Sequences, batch_size: int) -> list[np.ndarray]:
    """Positions of all utterances by length; the last batch may be shorter."""
    order = np.argsort(sequences.lengths, kind="stable")
    return [
        order[start : start + batch_size]
        for start in range(0, len(order), batch_size)
    ]


def _batch(
    sequences: Sequences, batch: Sequence[int], num_frames: int | None
) -> tuple:
    features = sequences.padded(batch, num_frames)
    return (features, sequences.lengths[batch]), sequences.labels[batch]


def _dataset(generate, sequences: Sequences, rows: int) -> tf.data.Dataset:
    numbers = tf.TensorSpec((rows,), tf.int32)
    features = tf.TensorSpec(
        (rows, None, sequences.frames.shape[1]), tf.float32
    )
    return tf.data.Dataset.from_generator(
        generate, output_signature=((features, numbers), numbers)
    ).prefetch(_PREFETCH)
