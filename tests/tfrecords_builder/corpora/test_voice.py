import dataclasses

import numpy as np
import scipy.signal

from tfrecords_builder.corpora import voice

MONOTONE = voice.Delivery(
    pitch_hz=125.0,
    range_semitones=0.0,
    syllables_per_second=4.0,
    level_db=-26.0,
    brightness_octaves=0.0,
    breathiness_db=-60.0,
    pause_seconds=0.2,
    tract_scale=1.0,
    jitter=0.0,
    room_db=-90.0,
)


def speak(seed=0, seconds=2.0, **changes):
    delivery = dataclasses.replace(MONOTONE, **changes)
    return voice.speak(delivery, seconds, np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_samples():
    waveform = speak()
    assert waveform.dtype == np.float32
    assert waveform.shape == (32_000,)
    np.testing.assert_array_equal(waveform, speak())
    assert not np.array_equal(waveform, speak(seed=1))


def test_the_pitch_is_the_one_asked_for():
    for pitch_hz in (100.0, 125.0, 210.0):
        waveform = speak(pitch_hz=pitch_hz)
        correlation = scipy.signal.correlate(waveform, waveform, method="fft")
        right = correlation[len(waveform) - 1 :]
        lags = np.arange(voice.SAMPLE_RATE_HZ // 300, 220)
        found_hz = voice.SAMPLE_RATE_HZ / lags[np.argmax(right[lags])]
        # The contour drifts by about a quarter of a semitone.
        assert abs(found_hz / pitch_hz - 1) < 0.04


def test_the_level_is_the_one_asked_for_and_loud_voices_do_not_clip():
    soft, loud = speak(level_db=-40.0), speak(level_db=-34.0)
    np.testing.assert_allclose(loud, soft * 10 ** (6 / 20), atol=1e-3)
    assert np.abs(speak(level_db=6.0)).max() < 1.0


def test_a_bright_voice_has_more_treble():
    def treble_share(waveform):
        power = np.abs(np.fft.rfft(waveform)) ** 2
        hertz = np.fft.rfftfreq(len(waveform), 1 / voice.SAMPLE_RATE_HZ)
        # Below the consonants' hiss, which has no brightness.
        return power[(hertz > 1000) & (hertz < 1900)].sum() / power.sum()

    dull, bright = speak(brightness_octaves=-1), speak(brightness_octaves=1)
    # One-pole low-passes at 750 and 3000 Hz differ by 2.5 to 5.3 in power
    # there; of the total, which grows as well, by less.
    assert 1.3 < treble_share(bright) / treble_share(dull) < 5.3


def test_neutral_responses_return_the_signal():
    signal = np.random.default_rng(0).standard_normal(1000)
    responses = np.ones((1000 // 128 + 2, 513), complex)
    np.testing.assert_allclose(voice._filter(signal, responses), signal)


def test_a_steady_tract_is_a_cascade_of_two_pole_filters():
    formants_hz = [500.0, 1500.0, 2500.0, *voice._UPPER_FORMANTS_HZ]
    signal = np.random.default_rng(0).standard_normal(4000)
    responses = voice._vocal_tract(MONOTONE, np.tile(formants_hz, (33, 1)))
    expected = signal
    for hertz, bandwidth in zip(formants_hz, voice._BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * bandwidth / 16_000)
        poles = radius * np.exp([2j * np.pi * hertz / 16_000, 0])
        poles[1] = np.conj(poles[0])
        denominator = np.real(np.poly(poles))
        expected = scipy.signal.lfilter(
            [denominator.sum()], denominator, expected
        )
    pole = np.exp(-2 * np.pi * 1500 / 16_000)
    expected = scipy.signal.lfilter([1 - pole], [1, -pole], expected)
    # The blocks are finite: a resonator rings on for longer, barely.
    np.testing.assert_allclose(
        voice._filter(signal, responses),
        expected,
        atol=2e-3 * np.abs(expected).max(),
    )
