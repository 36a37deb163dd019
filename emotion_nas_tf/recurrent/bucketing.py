"""Batches of utterances of similar length.

A batch is as long as its longest utterance, and most utterances of a corpus
are far shorter than the longest: of IEMOCAP's frames, padded to the corpus
maximum, 85 % are padding. No TensorFlow.
"""

import numpy as np

# Sorting by lengths that are off by this much mixes neighbours anew in each
# epoch, at the price of a few frames.
JITTER = 0.1


def bucket(
    order: np.ndarray, lengths: np.ndarray, seed: int, epoch: int
) -> np.ndarray:
    """Regroups an epoch's utterances by length.

    Args:
      order: (batches, batch_size) positions, from `data.batches.epoch_order`.
      lengths: (n,) real frames of each utterance.
      seed: of the run.
      epoch: from 0.

    Returns:
      As `order`, with the same positions: each batch of similar lengths, the
      batches in random order. A function of the arguments alone.
    """
    generator = np.random.default_rng([seed, epoch, len(lengths)])
    positions = order.ravel()
    factors = generator.uniform(1 - JITTER, 1 + JITTER, positions.size)
    by_length = np.argsort(lengths[positions] * factors, kind="stable")
    batches = positions[by_length].reshape(order.shape)
    return generator.permutation(batches)
