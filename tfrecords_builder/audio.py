"""Audio files of any rate and layout to mono waveforms at 16 kHz."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import audioread
import librosa
import numpy as np
import soundfile

from tfrecords_builder.errors import WorkError

BROKEN_REASONS = ("missing", "empty", "unreadable", "not_finite")

# A hard limiter repeats its ceiling exactly, speech does not: three equal
# samples in a row, within 0.1 dB of full scale, are a flat top.
CLIPPED_LEVEL = 0.99
CLIPPED_RUN = 3
# A recording nobody spoke into: no sample leaves -60 dBFS.
SILENT_PEAK_DBFS = -60.0
# Speech is normally recorded at -30 to -10 dBFS (RMS).
VERY_QUIET_RMS_DBFS = -50.0

# Rates that a recording may have; others are a damaged header's.
SOURCE_RATES_HZ = (1_000, 1_000_000)

# Samples read at a time, 256 MiB: a damaged header may promise terabytes. As
# many as any recording of speech has, because soundfile seeks after a block,
# which in MP3 is not exact.
_BLOCK_SAMPLES = 2**26

# First bytes of the `._name` files that macOS leaves beside copied files.
_APPLE_DOUBLE = b"\x00\x05\x16\x07"


class AudioError(WorkError):
    """One audio file cannot be used.

    Attributes:
      reason: one of `BROKEN_REASONS`.
    """

    def __init__(self, message: str, reason: str):
        if reason not in BROKEN_REASONS:
            raise ValueError(
                f"reason must be one of {BROKEN_REASONS}. Received: {reason!r}"
            )
        super().__init__(message)
        self.reason = reason

    def __reduce__(self):
        # Worker processes send it home; the default would lose the reason.
        return (type(self), (str(self), self.reason))


@dataclass(frozen=True)
class AudioFacts:
    """What the intake report counts about one file; plain JSON values.

    Attributes:
      source_rate_hz: sample rate of the file.
      source_channels: channels of the file.
      duration_seconds: length of the file.
      content_sha256: SHA-256 (hex) of the mono samples at the working rate,
        quantised to 16 bits: equal for identical audio in other containers
        (not for lossy copies).
      clipped: some channel of the file has a flat top at full scale.
      silent: the mono waveform nowhere leaves `SILENT_PEAK_DBFS`.
      very_quiet: not silent, and its RMS is below `VERY_QUIET_RMS_DBFS`.
    """

    source_rate_hz: int
    source_channels: int
    duration_seconds: float
    content_sha256: str
    clipped: bool
    silent: bool
    very_quiet: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Audio(AudioFacts):
    """A file's facts and its waveform.

    Attributes:
      waveform: (samples,) float32 in [-1, 1], mono at the working rate.
    """

    waveform: np.ndarray

    @property
    def facts(self) -> AudioFacts:
        """Everything but the waveform."""
        names = [field.name for field in dataclasses.fields(AudioFacts)]
        return AudioFacts(**{name: getattr(self, name) for name in names})


def load_audio(
    path: str | Path,
    sample_rate_hz: int = 16_000,
    first_seconds: float | None = None,
) -> Audio:
    """Reads a file, averages its channels and resamples it.

    WAV, FLAC, OGG and MP3 are read by libsndfile; what it does not know goes
    to audioread, which uses ffmpeg where that is installed. Resampling is
    soxr's high quality. Samples beyond full scale (floating-point files) are
    clipped.

    Args:
      path: the audio file.
      sample_rate_hz: the rate of the resulting waveform.
      first_seconds: read no more than these, however long the file is; all
        facts but the duration are then theirs. None for the whole file.

    Raises:
      AudioError: the file is missing, holds no samples, is not audio, or holds
        NaN or infinite samples.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: there is no such file.", "missing")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file has 0 bytes.", "empty")
    samples, source_rate_hz, num_samples = _decode(path, first_seconds)
    channels = samples.shape[1]
    if len(samples) == 0:
        raise AudioError(
            f"{path}: an audio file without a single sample.", "empty"
        )
    lowest, highest = SOURCE_RATES_HZ
    if not lowest <= source_rate_hz <= highest:
        raise AudioError(
            f"{path}: its header says {source_rate_hz:g} Hz, which no "
            "recording has; the file is damaged.",
            "unreadable",
        )
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{path}: some samples are not finite numbers (NaN or infinity).",
            "not_finite",
        )
    samples = np.clip(samples, -1.0, 1.0)
    waveform = samples.mean(axis=1, dtype=np.float32)
    if source_rate_hz != sample_rate_hz:
        waveform = librosa.resample(
            waveform,
            orig_sr=source_rate_hz,
            target_sr=sample_rate_hz,
            res_type="soxr_hq",
        )
        # The filter may overshoot where the file touches full scale.
        waveform = np.clip(waveform, -1.0, 1.0)
    silent, very_quiet = _loudness(waveform)
    return Audio(
        waveform=waveform,
        source_rate_hz=source_rate_hz,
        source_channels=channels,
        duration_seconds=num_samples / source_rate_hz,
        content_sha256=_content_sha256(waveform),
        clipped=_is_clipped(samples),
        silent=silent,
        very_quiet=very_quiet,
    )


def _decode(
    path: Path, first_seconds: float | None
) -> tuple[np.ndarray, int, int]:
    """(samples, channels) float32, the rate in Hz, samples of the file."""
    try:
        with soundfile.SoundFile(path) as file:
            limit = _limit(first_seconds, file.samplerate)
            samples = _read_blocks(file, limit)
            # With fewer, that is all, whatever the header promises.
            is_whole = limit is None or len(samples) < limit
            length = len(samples) if is_whole else file.frames
            return samples, file.samplerate, length
    # TypeError: a name in .raw, for which soundfile wants to be told the rate.
    except (soundfile.SoundFileError, TypeError):
        pass
    try:
        with path.open("rb") as file:
            start = file.read(len(_APPLE_DOUBLE))
    except OSError as error:
        # One file without permission must not end the whole build.
        raise AudioError(
            f"{path}: cannot be opened ({error.strerror}).", "unreadable"
        ) from None
    if start == _APPLE_DOUBLE:
        raise AudioError(
            f"{path}: an AppleDouble file, which macOS leaves beside the "
            "real one; it holds no audio.",
            "unreadable",
        )
    # Not audioread's own reader of WAV, AIFF and AU: what libsndfile refuses of
    # those is damaged, and Python's modules fail on it in many ways.
    backends = [
        backend
        for backend in audioread.available_backends()
        if backend.__module__ != "audioread.rawread"
    ]
    try:
        with audioread.audio_open(str(path), backends) as file:
            pcm = b"".join(file)
            # A damaged file may end within a frame.
            pcm = pcm[: len(pcm) - len(pcm) % (2 * file.channels)]
            samples = np.frombuffer(pcm, "<i2").reshape(-1, file.channels)
            limit = _limit(first_seconds, file.samplerate)
            first = samples[:limit].astype(np.float32) / 2**15
            return first, file.samplerate, len(samples)
    except (audioread.DecodeError, EOFError, RuntimeError, ValueError):
        raise AudioError(
            f"{path}: not audio, or damaged, or in a format that neither "
            "libsndfile nor ffmpeg reads here (WAV, FLAC, OGG and MP3 always "
            "work).",
            "unreadable",
        ) from None


def _limit(first_seconds: float | None, rate_hz: int) -> int | None:
    return None if first_seconds is None else round(first_seconds * rate_hz)


def _read_blocks(file: soundfile.SoundFile, limit: int | None) -> np.ndarray:
    """(samples, channels) float32: what the file really has, up to a limit."""
    blocks, left = [], np.inf if limit is None else limit
    while True:
        size = int(min(_BLOCK_SAMPLES // file.channels, left))
        blocks.append(file.read(size, dtype="float32", always_2d=True))
        left -= size
        if len(blocks[-1]) < size or not left:
            return np.concatenate(blocks)


def _is_clipped(samples: np.ndarray) -> bool:
    """Whether a channel of (samples, channels) repeats its ceiling."""
    equal = samples[1:] == samples[:-1]
    run = np.abs(samples) >= CLIPPED_LEVEL
    for _ in range(CLIPPED_RUN - 1):
        run = run[1:] & equal[: max(len(run) - 1, 0)]
    return bool(run.any())


def _loudness(waveform: np.ndarray) -> tuple[bool, bool]:
    """(silent, very quiet) of the waveform without its constant offset."""
    level = waveform.astype(np.float64) - waveform.mean(dtype=np.float64)
    silent = np.abs(level).max() <= 10 ** (SILENT_PEAK_DBFS / 20)
    rms = np.sqrt(np.mean(level**2))
    very_quiet = rms < 10 ** (VERY_QUIET_RMS_DBFS / 20)
    return bool(silent), bool(very_quiet and not silent)


def _content_sha256(waveform: np.ndarray) -> str:
    # The inverse of reading 16-bit PCM: such files at the working rate give
    # the digest of their own samples.
    quantised = np.clip(np.round(waveform * 2**15), -(2**15), 2**15 - 1)
    return hashlib.sha256(quantised.astype("<i2").tobytes()).hexdigest()
