"""Spectra stretched along frequency: NumPy's interpolation beside them."""

import numpy as np
import pytest

from emotion_nas_tf.data.frequency_warp import FrequencyWarp, warp_frequencies


@pytest.mark.parametrize("axis", [1, 2])
def test_every_spectrum_is_read_at_its_factor(axis):
    generator = np.random.default_rng(0)
    shape = (3, 9, 5, 1) if axis == 1 else (3, 5, 9)
    features = generator.normal(size=shape).astype(np.float32)
    factors = np.array([0.8, 1.0, 1.3])
    warped = warp_frequencies(features, factors, axis)
    assert warped.dtype == np.float32
    assert warped.shape == shape
    for one, other, factor in zip(features, warped, factors, strict=True):
        for time in range(5):
            at = (slice(None), time, 0) if axis == 1 else (time,)
            # `interp` stays at the last value, too.
            expected = np.interp(np.arange(9) * factor, np.arange(9), one[at])
            np.testing.assert_allclose(other[at], expected, atol=1e-6)
    np.testing.assert_array_equal(warped[1], features[1])


def test_a_tone_moves_up_and_down_by_at_most_the_greatest_share():
    tone = np.zeros((400, 60, 1, 1), np.float32)
    tone[:, 40] = 1
    change = FrequencyWarp(0.1, seed=0, axis=1).of_epoch(0)
    places = change(tone)[:, :, 0, 0].argmax(1)
    # At 40 / factor.
    assert places.min() == round(40 / 1.1)
    assert places.max() == round(40 / 0.9)
    assert abs(places.mean() - 40) < 1


def test_draws_are_of_seed_and_epoch_and_new_in_every_batch():
    def draw(seed, epoch):
        change = FrequencyWarp(0.3, seed, axis=2).of_epoch(epoch)
        ramp = np.tile(np.arange(30.0, dtype=np.float32), (2, 4, 1))
        return np.stack([change(ramp, "lengths") for _ in range(2)])

    first = draw(0, 0)
    np.testing.assert_array_equal(first, draw(0, 0))
    assert len({x.tobytes() for x in first.reshape(4, -1)}) == 4
    assert (first != draw(1, 0)).any()
    assert (first != draw(0, 1)).any()
