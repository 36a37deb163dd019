"""Audio files that are broken, and how each is named."""

import pickle

import numpy as np
import pytest
import soundfile

from tfrecords_builder.audio import AudioError, load_audio

RATE = 16_000

# audioread imports modules that Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def tone():
    """Half a second."""
    time = np.arange(RATE // 2) / RATE
    return (0.25 * np.sin(2 * np.pi * 440 * time)).astype("f4")


def fail_to_open(path):
    raise soundfile.LibsndfileError(1)


def broken_zero_bytes(path):
    path.write_bytes(b"")


def broken_no_samples(path):
    soundfile.write(path, np.zeros(0, "f4"), RATE)


def broken_text(path):
    path.write_text("This is a letter, not a recording.\n" * 50)


def broken_apple_double(path):
    path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(200))


def broken_nan(path):
    samples = tone()
    samples[100] = np.nan
    soundfile.write(path, samples, RATE, subtype="FLOAT")


def broken_infinite(path):
    samples = np.stack([tone(), tone()], axis=1)
    samples[7, 1] = np.inf
    soundfile.write(path, samples, RATE, subtype="FLOAT")


def forged(path, suffix, before, offset, value, **keywords):
    """Writes a file with `value` at `offset` behind the bytes `before`."""
    whole = path.with_suffix(f".{suffix}")
    soundfile.write(whole, tone(), RATE, **keywords)
    content = bytearray(whole.read_bytes())
    start = content.index(before) + offset
    content[start : start + len(value)] = value
    path.write_bytes(content)


def broken_wav_chunk_size(path):
    # Python's own reader fails on it with a RuntimeError.
    forged(path, "wav", b"fmt ", 4, b"\xff\xff\xff\xff")


def broken_wav_rate(path):
    # It would be resampled to 16,000 times its length.
    forged(path, "wav", b"fmt ", 12, b"\1\0\0\0")


def broken_aiff_rate(path):
    # An 80-bit number beyond the largest of 64 bits.
    forged(path, "aiff", b"COMM", 16, b"\x7f\xff")


def broken_au_channels(path):
    forged(path, "au", b".snd", 20, b"\xff\xff\xff\xff")


def broken_flac_frames(path):
    # 2^36 - 1 frames: 256 GiB.
    forged(path, "flac", b"fLaC", 21, b"\x0f\xff\xff\xff\xff")


def broken_half_flac(path):
    whole = path.with_suffix(".flac")
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, RATE)
    soundfile.write(whole, noise, RATE)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "reason", "words"),
    [
        (lambda path: None, "missing", "no such file"),
        (lambda path: path.mkdir(), "missing", "no such file"),
        (broken_zero_bytes, "empty", "0 bytes"),
        (broken_no_samples, "empty", "without a single sample"),
        (broken_text, "unreadable", "not audio"),
        (broken_apple_double, "unreadable", "AppleDouble"),
        (broken_nan, "not_finite", "NaN"),
        (broken_infinite, "not_finite", "infinity"),
        (broken_half_flac, "unreadable", "damaged"),
        (broken_wav_chunk_size, "unreadable", "damaged"),
        (broken_wav_rate, "unreadable", "says 1 Hz"),
        (broken_aiff_rate, "unreadable", "damaged"),
        (broken_au_channels, "unreadable", "damaged"),
        (broken_flac_frames, "unreadable", "damaged"),
    ],
)
def test_a_broken_file_is_named_with_its_reason(tmp_path, spoil, reason, words):
    path = tmp_path / "a.wav"
    spoil(path)
    with pytest.raises(AudioError, match=words) as caught:
        load_audio(path)
    assert caught.value.reason == reason
    assert str(path) in str(caught.value)
    # It crosses process borders whole.
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (str(copy), copy.reason) == (str(caught.value), reason)


def test_a_headerless_file_is_unreadable(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(1000))
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    assert caught.value.reason == "unreadable"


def test_a_forged_length_is_not_allocated(tmp_path):
    # 2^31 frames of 1152 samples; the file holds half a second.
    path = tmp_path / "a.mp3"
    forged(path, "MP3", b"Xing", 8, b"\x7f\xff\xff\xff")
    expected = load_audio(path.with_suffix(".MP3"))
    audio = load_audio(path)
    assert len(audio.waveform) == pytest.approx(
        len(expected.waveform), abs=1152
    )


def test_a_file_without_permission_is_unreadable(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), RATE)

    def refuse(*arguments, **keywords):
        raise PermissionError(13, "Permission denied")

    # Root may read everything, so that chmod would not do.
    monkeypatch.setattr(soundfile, "SoundFile", fail_to_open)
    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(AudioError, match="Permission denied") as caught:
        load_audio(path)
    assert caught.value.reason == "unreadable"
