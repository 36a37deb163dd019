import dataclasses
import hashlib
import json

import audioread
import numpy as np
import pytest
import soundfile

from tfrecords_builder.audio import AudioError, AudioFacts, load_audio

RATE = 16_000

# audioread imports modules that Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def tone(seconds=0.5, rate=RATE, amplitude=0.25, frequency_hz=440.0):
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype("f4")


def write(path, samples, rate=RATE, **keywords):
    soundfile.write(path, samples, rate, **keywords)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_lossless_files_come_back_exactly(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", tone())
    audio = load_audio(path)
    expected = np.round(tone() * 2**15) / 2**15
    assert audio.waveform.dtype == np.float32
    np.testing.assert_allclose(audio.waveform, expected, atol=1 / 2**15)
    assert audio.duration_seconds == 0.5
    assert (audio.source_rate_hz, audio.source_channels) == (RATE, 1)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_files_come_back_nearly(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", tone(1.0))
    waveform = load_audio(path).waveform
    assert abs(len(waveform) - RATE) < 0.1 * RATE
    inner = waveform[RATE // 4 : 3 * RATE // 4]
    spectrum = np.abs(np.fft.rfft(inner))
    assert np.argmax(spectrum) * RATE / len(inner) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(inner**2)) == pytest.approx(0.25 / 2**0.5, rel=0.05)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_other_rates_are_resampled_to_16_khz(tmp_path, rate):
    audio = load_audio(write(tmp_path / "a.wav", tone(1.0, rate), rate))
    assert audio.source_rate_hz == rate
    assert audio.duration_seconds == 1.0
    assert len(audio.waveform) == RATE
    inner = slice(RATE // 10, -RATE // 10)
    np.testing.assert_allclose(
        audio.waveform[inner], tone(1.0)[inner], atol=2e-3
    )


def test_resampling_removes_what_16_khz_cannot_hold(tmp_path):
    path = write(tmp_path / "a.wav", tone(1.0, 48_000, 0.5, 12_000), 48_000)
    inner = load_audio(path).waveform[1600:-1600]
    # An aliased copy would sit at 4 kHz with amplitude 0.5.
    assert np.abs(inner).max() < 1e-3


def test_channels_are_averaged(tmp_path):
    left, right = tone(amplitude=0.4), tone(amplitude=0.2)
    path = write(tmp_path / "a.flac", np.stack([left, right], axis=1))
    audio = load_audio(path)
    assert audio.source_channels == 2
    np.testing.assert_allclose(audio.waveform, tone(amplitude=0.3), atol=1e-4)


def test_content_hash_is_of_the_samples_not_of_the_file(tmp_path):
    samples = np.round(tone() * 32768).astype("<i2")
    samples[:2] = (-32768, 32767)
    wav = load_audio(write(tmp_path / "a.wav", samples))
    flac = load_audio(write(tmp_path / "b.flac", samples))
    stereo = load_audio(
        write(tmp_path / "c.wav", np.stack([samples, samples], axis=1))
    )
    other = load_audio(write(tmp_path / "d.wav", tone(amplitude=0.26)))
    assert wav.content_sha256 == flac.content_sha256 == stereo.content_sha256
    assert other.content_sha256 != wav.content_sha256
    digest = hashlib.sha256(samples.tobytes()).hexdigest()
    assert wav.content_sha256 == digest


@pytest.mark.parametrize(
    ("samples", "clipped", "silent", "very_quiet"),
    [
        (tone(amplitude=0.9), False, False, False),
        # Full scale is reached, but by single samples.
        (tone(amplitude=0.9999, frequency_hz=1000), False, False, False),
        (np.clip(tone(amplitude=1.5), -1, 1), True, False, False),
        (np.zeros(800, "f4"), False, True, False),
        # A constant offset is no sound.
        (np.full(800, 0.3, "f4"), False, True, False),
        (tone(amplitude=10 ** (-61 / 20)), False, True, False),
        # -48 dBFS RMS, and -51.
        (tone(amplitude=10 ** (-45 / 20)), False, False, False),
        (tone(amplitude=10 ** (-48 / 20)), False, False, True),
        (np.zeros(1, "f4"), False, True, False),
    ],
)
def test_levels(tmp_path, samples, clipped, silent, very_quiet):
    audio = load_audio(write(tmp_path / "a.wav", samples))
    assert audio.clipped == clipped
    assert audio.silent == silent
    assert audio.very_quiet == very_quiet


def test_clipping_in_one_channel_and_in_floating_point_is_seen(tmp_path):
    clipped = np.clip(tone(amplitude=1.5), -1, 1)
    path = write(tmp_path / "a.wav", np.stack([tone(), clipped], axis=1))
    assert load_audio(path).clipped
    path = write(tmp_path / "b.wav", tone(amplitude=1.5), subtype="FLOAT")
    audio = load_audio(path)
    assert audio.clipped
    assert np.abs(audio.waveform).max() == 1


def test_facts_survive_json(tmp_path):
    facts = load_audio(write(tmp_path / "a.wav", tone(), 8_000)).facts
    assert type(facts) is AudioFacts
    text = json.dumps(dataclasses.asdict(facts))
    assert AudioFacts(**json.loads(text)) == facts


@pytest.mark.parametrize("seconds", [0.4, 0.5])
def test_a_file_of_several_blocks_comes_back_whole(
    tmp_path, monkeypatch, seconds
):
    stereo = np.stack([tone(seconds), tone(seconds, amplitude=0.1)], axis=1)
    path = write(tmp_path / "a.flac", stereo)
    expected = load_audio(path)
    # 2000 frames a block: 3.2 or exactly 4 blocks.
    monkeypatch.setattr("tfrecords_builder.audio._BLOCK_SAMPLES", 4000)
    audio = load_audio(path)
    np.testing.assert_array_equal(audio.waveform, expected.waveform)


def test_a_file_that_cannot_be_sought_in_is_read(tmp_path):
    path = write(tmp_path / "a.wav", tone(), subtype="GSM610")
    # In units of 320 samples.
    assert load_audio(path).duration_seconds == pytest.approx(0.5, abs=0.03)


class StereoDecoder:
    """Stands for ffmpeg: two channels, and a torn frame at the end."""

    channels, samplerate = 2, RATE

    def __init__(self, path):
        if "damaged" in path:
            raise RuntimeError("no frames")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return False

    def __iter__(self):
        samples = np.arange(-8, 8, dtype="<i2") * 1024
        return iter([samples[:6].tobytes(), samples[6:].tobytes() + b"\1"])


def test_what_libsndfile_cannot_read_goes_to_audioread(tmp_path, monkeypatch):
    monkeypatch.setattr(
        audioread, "available_backends", lambda: [StereoDecoder]
    )
    path = tmp_path / "a.m4a"
    path.write_bytes(b"nothing that libsndfile knows")
    audio = load_audio(path)
    assert audio.source_channels == 2
    expected = (np.arange(-8, 8, 2) + 0.5) / 32
    np.testing.assert_array_equal(audio.waveform, expected)
    path = path.rename(tmp_path / "damaged.m4a")
    with pytest.raises(AudioError, match="damaged") as caught:
        load_audio(path)
    assert caught.value.reason == "unreadable"
