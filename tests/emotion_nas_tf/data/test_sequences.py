"""Features over time, from records to padded batches."""

import dataclasses

import numpy as np
import pytest
from sequence_data import LABEL_NAMES, make_sequences, write_sequence_records

from emotion_nas_tf.data.batches import steps_per_epoch
from emotion_nas_tf.data.sequence_batches import (
    FILLER,
    evaluation_order,
    sequence_evaluation_batches,
    sequence_training_batches,
)
from emotion_nas_tf.data.sequences import load_sequences
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import load_manifest


def rows_of(sequences):
    """Each utterance's own frames, and where a batch's row came from."""
    ends = np.cumsum(sequences.lengths)
    return [
        sequences.frames[end - length : end]
        for end, length in zip(ends, sequences.lengths, strict=True)
    ]


def find(sequences, features, length):
    """Which utterance a padded row is: its frames, then zeros."""
    assert not features[length:].any()
    (found,) = (
        index
        for index, row in enumerate(rows_of(sequences))
        if len(row) == length and np.array_equal(row, features[:length])
    )
    return found


def test_records_are_read_without_their_padding(tmp_path):
    written = write_sequence_records(tmp_path)
    manifest = load_manifest(tmp_path)
    indices = [7, 2, 30]
    read = load_sequences(tmp_path, manifest, indices)
    expected = rows_of(written)
    assert read.lengths.tolist() == written.lengths[indices].tolist()
    assert read.labels.tolist() == written.labels[indices].tolist()
    assert read.ids == ("u7", "u2", "u30")
    assert read.speakers == tuple(written.speakers[i] for i in indices)
    for row, index in zip(rows_of(read), indices, strict=True):
        np.testing.assert_array_equal(row, expected[index])


def test_records_that_do_not_fit_are_refused(tmp_path, small_records):
    with pytest.raises(UsageError, match="no features over time"):
        load_sequences(small_records, load_manifest(small_records), [0])
    write_sequence_records(tmp_path)
    manifest = load_manifest(tmp_path)
    longer = dataclasses.replace(
        manifest.entries[0],
        sequence_length=manifest.entries[0].sequence_length + 1,
    )
    changed = dataclasses.replace(
        manifest, entries=(longer, *manifest.entries[1:])
    )
    with pytest.raises(UsageError, match=r"u0 has .* frames in the records"):
        load_sequences(tmp_path, changed, [0])


def test_moments_are_of_real_frames():
    sequences = make_sequences(20, 0)
    mean, deviation = sequences.moments()
    np.testing.assert_allclose(mean, sequences.frames.mean(0), rtol=1e-5)
    np.testing.assert_allclose(deviation, sequences.frames.std(0), rtol=1e-5)


def test_an_epoch_has_every_utterance_once_beside_its_likes():
    sequences = make_sequences(24, 0)
    batches = list(
        sequence_training_batches(sequences, 4, 0, 0, 1).as_numpy_iterator()
    )
    assert len(batches) == 6
    seen, padding = [], 0
    for (features, lengths), labels in batches:
        assert features.shape == (4, lengths.max(), 5)
        for row, length, label in zip(features, lengths, labels, strict=True):
            index = find(sequences, row, length)
            assert sequences.labels[index] == label
            seen.append(index)
        padding += (lengths.max() - lengths).sum()
    assert sorted(seen) == list(range(24))
    # At random: 6 * (4 * about 17 - 4 * 11) = 144.
    assert padding < 40


def add_draws(epoch):
    """Every batch of an epoch is changed by the next draw."""
    generator = np.random.default_rng(epoch)
    return lambda features, lengths: (
        features
        + lengths[:, None, None] * (generator.normal(size=features.shape[2]))
    )


@pytest.mark.parametrize("augment", [None, add_draws])
@pytest.mark.parametrize("first_step", [1, 6, 8])
def test_a_training_that_goes_on_sees_the_rest(first_step, augment):
    """26 utterances: six batches of 4 an epoch, two stay over."""

    def batches(first, augment=augment):
        dataset = sequence_training_batches(
            make_sequences(26, 0), 4, 3, first, 2, True, augment=augment
        )
        return list(dataset.as_numpy_iterator())

    whole, rest = batches(0), batches(first_step)
    assert len(whole) == 2 * steps_per_epoch(26, 4)
    assert len(rest) == len(whole) - first_step
    for one, other in zip(whole[first_step:], rest, strict=True):
        np.testing.assert_array_equal(one[0][0], other[0][0])
        np.testing.assert_array_equal(one[0][1], other[0][1])
        np.testing.assert_array_equal(one[1], other[1])
    labels = np.concatenate([each[1] for each in whole[:6]])
    assert np.bincount(labels).tolist() == [8] * len(LABEL_NAMES)
    if augment:
        for epoch in range(2):
            change = add_draws(epoch)
            for step in range(6 * epoch, 6 * epoch + 6):
                (plain, lengths), _ = batches(0, None)[step]
                np.testing.assert_allclose(
                    whole[step][0][0], change(plain, lengths), rtol=1e-6
                )


def test_evaluation_has_every_utterance_once_and_equal_batches():
    sequences = make_sequences(10, 0)
    seen = []
    for (features, lengths), labels in sequence_evaluation_batches(
        sequences, 4, num_frames=20
    ).as_numpy_iterator():
        assert features.shape == (4, 20, 5)
        seen += [
            find(sequences, row, length)
            for row, length, label in zip(
                features, lengths, labels, strict=True
            )
            if label != FILLER
        ]
    order = evaluation_order(sequences, 4)
    assert seen == np.concatenate(order).tolist()
    assert sorted(seen) == list(range(10))
    assert (np.diff(sequences.lengths[seen]) >= 0).all()


def test_an_utterance_without_a_frame_is_all_padding():
    sequences = dataclasses.replace(
        make_sequences(2, 0), lengths=np.array([0, 0], np.int32)
    )
    np.testing.assert_array_equal(
        sequences.padded([0, 1]), np.zeros((2, 1, 5), np.float32)
    )
