"""The front end against librosa."""

import dataclasses

import keras
import librosa
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tfrecords_builder.config import GEOMETRIES, SCALES, spectrogram_preset
from tfrecords_builder.features.spectrogram import Spectrogram, mel_filter_bank

TOLERANCE = 1e-4
# Bins below this share of the largest are mostly rounding.
RELATIVE_FLOOR = 1e-3
# Five speakers, both sexes, four emotions.
EMODB = ("03a01Fa", "08a01Na", "11a02Wc", "14a02Tb", "16b10Wa")


def librosa_features(samples, config):
    """The same features by librosa's FFT: (140, 140)."""
    samples = samples[: config.num_samples]
    last_frame_end = (
        config.num_frames - 1
    ) * config.hop_samples + config.dft_samples
    # librosa centres a window that is shorter than the DFT; zeros in front
    # make up for that (a shift does not change magnitudes).
    offset = (config.dft_samples - config.window_samples) // 2
    silence = max(config.num_samples, last_frame_end) - len(samples)
    samples = np.pad(samples, (offset, silence))
    amplitude = np.abs(
        librosa.stft(
            samples,
            n_fft=config.dft_samples,
            win_length=config.window_samples,
            hop_length=config.hop_samples,
            window="hamming",
            center=False,
        )
    )[:, : config.num_frames]
    if config.scale == "magnitude":
        values = amplitude[: config.num_features]
    else:
        power = amplitude[: config.num_features] ** 2
        if config.scale == "log_mel":
            power = librosa.feature.melspectrogram(
                S=amplitude**2, sr=config.sample_rate_hz, n_mels=140
            )
        amin = 10 ** (config.floor_db / 10)
        decibels = librosa.power_to_db(power, ref=1, amin=amin, top_db=None)
        values = (decibels - config.floor_db) / 20
    shape = (config.num_features, config.num_columns, config.pool_frames)
    return values.reshape(shape).mean(axis=-1)


def generated_clips():
    """Chirp of 5 s with a little noise; noise of 9 s, to be cut."""
    random = np.random.default_rng(0)
    time = np.arange(80_000) / 16_000
    chirp = 0.8 * np.sin(2 * np.pi * (100 + 700 * time) * time)
    noise = random.normal(scale=0.1, size=144_000)
    chirp += random.normal(scale=1e-3, size=chirp.size)
    return [chirp.astype(np.float32), noise.astype(np.float32)]


def assert_close_to_librosa(layer, samples):
    """Compares each of the 140 x 140 bins with librosa's, in two measures.

    The error is at most `TOLERANCE` of the largest bin. In bins of at least
    `RELATIVE_FLOOR` of the largest it is at most `TOLERANCE` of the bin
    itself, decibels being taken back to power.
    """
    expected = librosa_features(samples, layer.config)
    features = layer(samples[None]).numpy()[0]
    assert features.shape == (140, 140)
    assert features.dtype == np.float32
    assert np.abs(features - expected).max() <= TOLERANCE * expected.max()
    if layer.config.scale != "magnitude":
        # A unit is 20 dB.
        features, expected = (
            100 ** np.float64(values) for values in (features, expected)
        )
    high = expected >= RELATIVE_FLOOR * expected.max()
    np.testing.assert_allclose(features[high], expected[high], rtol=TOLERANCE)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_spectrogram_matches_librosa(geometry, scale):
    layer = Spectrogram(spectrogram_preset(geometry, scale))
    for samples in generated_clips():
        assert_close_to_librosa(layer, samples)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_spectrogram_matches_librosa_on_emodb(shared_dir, geometry, scale):
    folder = shared_dir / "data" / "emodb" / "wav"
    layer = Spectrogram(spectrogram_preset(geometry, scale))
    for name in EMODB:
        samples, rate = soundfile.read(folder / f"{name}.wav", dtype="float32")
        assert rate == 16_000
        assert_close_to_librosa(layer, samples)


def test_a_tone_lies_in_its_bin():
    config = spectrogram_preset("paper", "magnitude")
    # Bin 20 of a DFT of 400 samples at 16 kHz is 800 Hz.
    time = np.arange(config.num_samples) / config.sample_rate_hz
    tone = np.cos(2 * np.pi * 800 * time).astype(np.float32)
    features = Spectrogram(config)(tone[None]).numpy()[0]
    np.testing.assert_array_equal(features.argmax(axis=0), 20)
    # Half the sum of a periodic Hamming window: 0.54 * 400 / 2.
    np.testing.assert_allclose(features[20], 108, rtol=1e-4)


@pytest.mark.parametrize("scale", SCALES)
def test_silence_and_padding_are_zero(scale):
    layer = Spectrogram(spectrogram_preset("paper", scale))
    short = np.full((1, 16_000), 0.1, np.float32)
    features = layer(short).numpy()[0]
    # Column 18 starts with sample 18 * 5 * 176 = 15,840, column 19 at 16,720.
    assert (features[:, 18] > 0).any()
    np.testing.assert_allclose(features[:, 19:], 0, atol=1e-6)
    np.testing.assert_allclose(layer(np.zeros((1, 0), np.float32)), 0)


def test_nothing_after_the_duration_counts():
    config = spectrogram_preset("dft278", "magnitude")
    # The last frame reaches 289 samples beyond the 8 s: those are zeros.
    long = np.random.default_rng(1).normal(size=(1, config.num_samples + 999))
    long = long.astype(np.float32)
    layer = Spectrogram(config)
    np.testing.assert_array_equal(
        layer(long), layer(long[:, : config.num_samples])
    )


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_no_mel_band_is_empty(geometry):
    bank = mel_filter_bank(spectrogram_preset(geometry, "log_mel"))
    assert bank.shape == (513, 140)
    assert (np.count_nonzero(bank, axis=0) >= 2).all()


def test_spectrogram_traces_with_any_batch_and_length():
    layer = Spectrogram(spectrogram_preset("paper", "magnitude"))
    function = tf.function(
        layer, input_signature=[tf.TensorSpec((None, None), tf.float32)]
    )
    samples = generated_clips()[0]
    batch = np.stack([samples, samples[::-1]])
    features = function(batch)
    np.testing.assert_allclose(
        features[1], layer(batch[1:])[0], rtol=0, atol=1e-5
    )
    assert function(batch[:1, :100]).shape == (1, 140, 140)


def test_spectrogram_has_no_weights_and_is_serialisable():
    layer = Spectrogram(spectrogram_preset("dft278", "log_magnitude"))
    inputs = keras.Input((None,))
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 140, 140)
    assert model.count_params() == 0
    again = keras.Model.from_config(model.get_config())
    assert again.layers[-1].config == layer.config
    samples = generated_clips()[0][None]
    np.testing.assert_array_equal(again(samples), model(samples))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": "bark"}, "scale must be one of"),
        ({"dft_samples": 256}, "dft_samples must not be smaller"),
        ({"num_features": 300}, "fewer than num_features"),
    ],
)
def test_spectrogram_refuses(changes, message):
    config = spectrogram_preset("paper", "magnitude")
    with pytest.raises(ValueError, match=message):
        Spectrogram(dataclasses.replace(config, **changes))
