"""SpecAugment's masks: their axis, their widths, the same ones again."""

import subprocess
import sys

import numpy as np
import pytest

from emotion_nas_tf.data.augmentation import SequenceMasks, SpecAugment
from emotion_nas_tf.data.batches import training_batches
from emotion_nas_tf.data.pipeline import Split
from tfrecords_builder.errors import UsageError

NUM_FEATURES, NUM_COLUMNS = 10, 14


def masked(batch=200, length=NUM_COLUMNS, **widths):
    """Which values of ones are gone, (batch, frequency, time)."""
    widths = {"frequency_mask": 0, "time_mask": 0, "seed": 0, **widths}
    ones = np.ones((batch, NUM_FEATURES, NUM_COLUMNS, 1), np.float32)
    ones[:, :, length:] = 0
    result = SpecAugment(**widths).of_epoch(0)(ones)
    assert result.shape == ones.shape
    # What is not masked is as it was.
    assert set(np.unique(result)) <= {0, 1}
    return (ones - result)[..., 0] == 1


def assert_bands(gone, greatest):
    """(batch, positions): one band each, of 0 to `greatest`.

    It may lie anywhere but on the last position: as in the paper, a band of f
    among n begins at one of 0 to n - f - 1.
    """
    widths = gone.sum(1)
    assert set(widths) == set(range(greatest + 1))
    # A band begins at most once.
    assert (np.diff(gone.astype(int), prepend=0) == 1).sum(1).max() == 1
    assert gone.any(0).tolist() == [True] * (gone.shape[1] - 1) + [False]


def test_frequency_masks_silence_features_at_all_times():
    gone = masked(frequency_mask=3)
    assert (gone == gone[:, :, :1]).all()
    assert_bands(gone[:, :, 0], 3)


def test_time_masks_silence_columns_at_all_frequencies():
    gone = masked(time_mask=4)
    assert (gone == gone[:, :1]).all()
    assert_bands(gone[:, 0], 4)


def test_time_masks_fall_into_the_utterance():
    # Six columns of sound: a mask of 8 takes at most five of them.
    gone = masked(time_mask=8, length=6)
    assert not gone[:, :, 6:].any()
    assert_bands(gone[:, 0, :6], 5)


def test_silent_utterance_stays():
    assert not masked(length=0, frequency_mask=3, time_mask=4).any()


def epochs(first_step, augment):
    """All batches from a step on."""
    generator = np.random.default_rng(0)
    split = Split(
        generator.normal(size=(9, NUM_FEATURES, NUM_COLUMNS, 1)).astype("f4"),
        np.arange(9, dtype=np.int32) % 3,
        ("",) * 9,
        ("",) * 9,
    )
    batches = training_batches(split, 4, 7, first_step, 3, augment=augment)
    return np.stack([x for x, _ in batches.as_numpy_iterator()])


def test_masks_go_on_where_they_stopped():
    augment = SpecAugment(3, 4, seed=7).of_epoch
    whole, plain = epochs(0, augment), epochs(0, None)
    # Inside an epoch of two steps, and at the end of one.
    for first_step in (3, 4):
        np.testing.assert_array_equal(
            whole[first_step:], epochs(first_step, augment)
        )
    gone = (whole != plain)[..., 0]
    np.testing.assert_array_equal(whole[..., 0][~gone], plain[..., 0][~gone])
    assert not whole[..., 0][gone].any()
    # Other masks in every batch, epoch and run.
    assert len({step.tobytes() for step in gone}) == 6
    assert (whole != epochs(0, SpecAugment(3, 4, seed=8).of_epoch)).any()


def test_masked_frames_say_what_all_frames_say_on_average():
    """Lengths tell apart what is masked and what is padding."""
    generator = np.random.default_rng(0)
    lengths = np.array([12, 5] * 100)
    real = np.arange(12) < lengths[:, None]
    features = generator.uniform(1, 2, (200, 12, NUM_FEATURES)).astype("f4")
    features *= real[..., None]
    mean = np.arange(NUM_FEATURES) + 10.0
    change = SequenceMasks(SpecAugment(3, 4, seed=0), mean).of_epoch(0)
    changed = change(features, lengths)
    gone = changed != features
    assert not gone[~real].any()
    np.testing.assert_array_equal(
        changed[gone], np.broadcast_to(mean, features.shape)[gone]
    )
    for length in (12, 5):
        rows = gone[lengths == length, :length]
        # A frame is gone in all features or in those of the band alone.
        times = rows.all(2)
        assert_bands(times, 4)
        left = np.where(times[..., None], False, rows).any(1)
        assert_bands(left, 3)
        np.testing.assert_array_equal(rows, times[..., None] | left[:, None, :])


def test_mask_of_a_whole_axis_is_refused():
    SpecAugment(9, 13, 0).check(NUM_FEATURES, NUM_COLUMNS)
    for widths, message in (
        ((10, 0), "--frequency_mask=10 could silence all 10"),
        ((0, 14), "--time_mask=14 could silence all 14"),
    ):
        with pytest.raises(UsageError, match=message):
            SpecAugment(*widths, 0).check(NUM_FEATURES, NUM_COLUMNS)


def test_tensorflow_io_is_imported_for_masks_alone_and_quietly():
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import numpy as np\n"
        "from emotion_nas_tf.data.augmentation import SpecAugment\n"
        "assert 'tensorflow_io' not in sys.modules\n"
        "SpecAugment(1, 1, 0).of_epoch(0)(np.ones((1, 4, 4, 1), 'f4'))\n"
        "assert 'tensorflow_io' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "tensorflow_io" not in done.stderr
