"""The order of the utterances: complete, seeded, balanced."""

import numpy as np

from emotion_nas_tf.data.batches import (
    epoch_order,
    halve,
    search_batches,
    steps_per_epoch,
    training_batches,
)
from emotion_nas_tf.data.pipeline import Split

LABELS = np.array([0] * 6 + [1] * 3 + [2] * 1)


def test_an_epoch_is_one_pass_without_repeats():
    order = epoch_order(LABELS, 5, 2, seed=0, epoch=0)
    assert sorted(order.ravel()) == list(range(10))


def test_order_is_a_function_of_seed_and_epoch():
    first = epoch_order(LABELS, 5, 2, seed=1, epoch=3)
    again = epoch_order(LABELS, 5, 2, seed=1, epoch=3)
    np.testing.assert_array_equal(first, again)
    for other in ({"seed": 2, "epoch": 3}, {"seed": 1, "epoch": 4}):
        assert (epoch_order(LABELS, 5, 2, **other) != first).any()


def test_more_steps_than_utterances_are_further_whole_passes():
    order = epoch_order(LABELS, 5, 6, seed=0, epoch=0)
    assert np.bincount(order.ravel()).tolist() == [3] * 10


def test_balanced_order_draws_classes_equally():
    order = epoch_order(LABELS, 6, 2, seed=0, epoch=0, balanced=True)
    counts = np.bincount(LABELS[order.ravel()])
    assert counts.tolist() == [4, 4, 4]
    # No utterance of a large class twice before all of it once.
    assert len(set(order.ravel()) & set(range(6))) == 4


def test_halves_share_nothing_and_halve_classes():
    first, second = halve(LABELS, seed=0)
    assert sorted([*first, *second]) == list(range(10))
    assert np.bincount(LABELS[first], minlength=3).tolist() == [3, 2, 1]
    assert np.bincount(LABELS[second], minlength=3).tolist() == [3, 1, 0]


def test_steps_leave_the_remainder_for_the_next_order():
    assert steps_per_epoch(35, 16) == 2
    assert steps_per_epoch(3, 16) == 1


def test_search_goes_on_where_it_stopped():
    def split(offset):
        values = np.arange(10, dtype=np.float32)[:, None, None, None] + offset
        return Split(values, LABELS.astype(np.int32), ("",) * 10, ("",) * 10)

    def features(first_step):
        dataset = search_batches(split(0), split(100), 4, 7, first_step, 3)
        return [
            (weights[0].ravel(), alpha[0].ravel())
            for weights, alpha in dataset.as_numpy_iterator()
        ]

    # 10 utterances: two steps of 4 an epoch, three epochs.
    whole = features(0)
    assert len(whole) == 6
    for first_step in (3, 4, 6):
        rest = features(first_step)
        assert len(rest) == 6 - first_step
        for one, other in zip(whole[first_step:], rest, strict=True):
            np.testing.assert_array_equal(one, other)


def test_training_goes_on_inside_an_epoch_with_the_same_augmentation():
    """What is drawn for a batch depends on the draws before it."""
    split = Split(
        np.zeros((10, 1, 1, 1), np.float32),
        LABELS.astype(np.int32),
        ("",) * 10,
        ("",) * 10,
    )

    def noise(epoch):
        generator = np.random.default_rng(epoch)
        return lambda x: x + generator.normal(size=x.shape).astype(np.float32)

    def features(first_step):
        dataset = training_batches(split, 2, 7, first_step, 2, augment=noise)
        return [x.ravel() for x, _ in dataset.as_numpy_iterator()]

    # Five steps an epoch.
    np.testing.assert_array_equal(features(0)[3:], features(3))
