"""Batches of similar length: the same utterances, little padding."""

import numpy as np

from emotion_nas_tf.recurrent.bucketing import bucket


def test_same_utterances_little_padding_new_batches():
    generator = np.random.default_rng(0)
    lengths = np.clip(generator.lognormal(4.5, 0.66, 640), 10, 727).astype(int)
    order = generator.permutation(640).reshape(20, 32)
    batches = bucket(order, lengths, 0, 0)
    assert sorted(batches.ravel()) == list(range(640))
    assert np.array_equal(batches, bucket(order, lengths, 0, 0))

    def frames(rows):
        return 32 * lengths[rows].max(axis=1).sum()

    assert frames(order) > 2 * lengths.sum()
    assert frames(batches) < 1.3 * lengths.sum()
    # Not from short to long, and not the same companions every epoch.
    means = lengths[batches].mean(axis=1)
    assert abs(np.corrcoef(means, np.arange(20))[0, 1]) < 0.6
    again = bucket(order, lengths, 0, 1)
    of_first = set(next(row for row in batches if 0 in row))
    assert of_first != set(next(row for row in again if 0 in row))


def test_equal_lengths_are_shuffled_only():
    order = np.arange(8).reshape(4, 2)
    batches = bucket(order, np.full(8, 5), 3, 0)
    assert sorted(batches.ravel()) == list(range(8))
