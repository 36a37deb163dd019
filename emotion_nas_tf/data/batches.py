"""Batches in an order that is a pure function of seed, epoch and step.

So a training that was killed goes on with the very utterances it would have
seen, and two runs of one seed see the same.
"""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from emotion_nas_tf.data.pipeline import Split

# Streams of one seed that must not repeat each other's order.
(
    WEIGHT_STREAM,
    ARCHITECTURE_STREAM,
    HALVING_STREAM,
    MASK_STREAM,
    WARP_STREAM,
) = range(5)
_PREFETCH = 2


def steps_per_epoch(num_utterances: int, batch_size: int) -> int:
    """Whole batches in a pass; a remainder waits for the next order."""
    return max(1, num_utterances // batch_size)


def epoch_order(
    labels: np.ndarray,
    batch_size: int,
    num_steps: int,
    seed: int,
    epoch: int,
    stream: int = WEIGHT_STREAM,
    balanced: bool = False,
) -> np.ndarray:
    """Which utterances make an epoch's batches.

    Args:
      labels: (n,) classes.
      batch_size: utterances a step.
      num_steps: batches; more than n utterances hold means further passes,
        each in a new order.
      seed: of the run.
      epoch: from 0.
      stream: keeps the orders of two uses of a seed apart.
      balanced: draw every class equally often, repeating the utterances of
        rare ones.

    Returns:
      (num_steps, batch_size) int64 positions in `labels`.
    """
    generator = np.random.default_rng([seed, epoch, stream])
    wanted = num_steps * batch_size
    if not balanced:
        order = _passes(np.arange(len(labels)), wanted, generator)
        return order.reshape(num_steps, batch_size)
    classes = np.unique(labels)
    shares = np.full(len(classes), wanted // len(classes))
    shares[generator.permutation(len(classes))[: wanted % len(classes)]] += 1
    order = np.concatenate(
        [
            _passes(np.flatnonzero(labels == one), share, generator)
            for one, share in zip(classes, shares, strict=True)
        ]
    )
    return generator.permutation(order).reshape(num_steps, batch_size)


def halve(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two halves of the utterances, every class halved; ascending."""
    generator = np.random.default_rng([seed, 0, HALVING_STREAM])
    halves: tuple[list, list] = ([], [])
    for one in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == one))
        middle = (len(members) + 1) // 2
        halves[0].append(members[:middle])
        halves[1].append(members[middle:])
    first, second = (np.sort(np.concatenate(half)) for half in halves)
    return first, second


def subset(split: Split, indices: np.ndarray) -> Split:
    """The utterances at these positions."""
    return Split(
        split.features[indices],
        split.labels[indices],
        tuple(split.ids[index] for index in indices),
        tuple(split.speakers[index] for index in indices),
    )


def search_batches(
    training: Split,
    architecture: Split,
    batch_size: int,
    seed: int,
    first_step: int,
    epochs: int,
    balanced: bool = False,
) -> tf.data.Dataset:
    """Batches of a search, from a step to the end.

    Args:
      training: moves the weights.
      architecture: moves alpha; cycled to the length of `training`.
      batch_size: utterances of each in a step; fewer where a split is smaller.
      seed: of the run.
      first_step: steps completed, of all epochs: 0, or where a killed search
        goes on.
      epochs: of the whole search.
      balanced: draw every class equally often, in both.

    Returns:
      ((features, labels), (features, labels)) of weights and of alpha:
      (batch, 140, 140, 1) float32 and (batch,) int32.
    """
    streams = [
        (training, WEIGHT_STREAM),
        (architecture, ARCHITECTURE_STREAM),
    ]
    num_steps = steps_per_epoch(len(training.labels), batch_size)

    def generate() -> Iterator[tuple]:
        for epoch, done in epochs_left(first_step, num_steps, epochs):
            orders = [
                epoch_order(
                    split.labels,
                    min(batch_size, len(split.labels)),
                    num_steps,
                    seed,
                    epoch,
                    stream,
                    balanced,
                )[done:]
                for split, stream in streams
            ]
            for rows in zip(*orders, strict=True):
                yield tuple(
                    (split.features[row], split.labels[row])
                    for (split, _), row in zip(streams, rows, strict=True)
                )

    signature = tuple(_signature(split, batch_size) for split, _ in streams)
    return tf.data.Dataset.from_generator(
        generate, output_signature=signature
    ).prefetch(_PREFETCH)


def training_batches(
    training: Split,
    batch_size: int,
    seed: int,
    first_step: int,
    epochs: int,
    balanced: bool = False,
    augment: Callable[[int], Callable[[np.ndarray], np.ndarray]] | None = None,
) -> tf.data.Dataset:
    """Batches (features, labels) of a training; see `search_batches`.

    `augment`, if given, is called with each epoch and makes what changes that
    epoch's features, batch by batch.
    """
    num_steps = steps_per_epoch(len(training.labels), batch_size)

    def generate() -> Iterator[tuple]:
        for epoch, done in epochs_left(first_step, num_steps, epochs):
            order = epoch_order(
                training.labels,
                min(batch_size, len(training.labels)),
                num_steps,
                seed,
                epoch,
                balanced=balanced,
            )
            change = augment(epoch) if augment else None
            for step, row in enumerate(order):
                features = training.features[row]
                # Also before a step at which a killed training goes on: what
                # is drawn may depend on what was drawn before.
                if change:
                    features = change(features)
                if step >= done:
                    yield features, training.labels[row]

    return tf.data.Dataset.from_generator(
        generate, output_signature=_signature(training, batch_size)
    ).prefetch(_PREFETCH)


def evaluation_batches(split: Split, batch_size: int = 16) -> tf.data.Dataset:
    """Every utterance once, in order, the last batch shorter."""
    return tf.data.Dataset.from_tensor_slices(
        (split.features, split.labels)
    ).batch(batch_size)


def epochs_left(
    first_step: int, num_steps: int, epochs: int
) -> Iterator[tuple[int, int]]:
    """Each epoch that is not complete, and its steps that are."""
    first_epoch, done = divmod(first_step, num_steps)
    for epoch in range(first_epoch, epochs):
        yield epoch, done
        done = 0


def _passes(
    members: np.ndarray, wanted: int, generator: np.random.Generator
) -> np.ndarray:
    """`wanted` of the members, all once before any twice, shuffled."""
    passes = -(-wanted // len(members))
    rows = [generator.permutation(members) for _ in range(passes)]
    return np.concatenate([*rows, members[:0]])[:wanted]


def _signature(split: Split, batch_size: int) -> tuple:
    size = min(batch_size, len(split.labels))
    return (
        tf.TensorSpec((size, *split.features.shape[1:]), tf.float32),
        tf.TensorSpec((size,), tf.int32),
    )
