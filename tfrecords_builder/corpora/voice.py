"""A source-filter voice: speech-like audio from a speaker and a delivery.

    pitch contour -> glottal pulses + breath -> moving formants -> envelope
                                         hiss -> consonants ----^

Fant's source-filter theory in its plainest form: glottal pulses (Rosenberg
1971) with jitter and shimmer pass a cascade of formant resonators that glide
from vowel to vowel. It says no words; what it carries is what emotion
recognisers listen to: pitch, its range, tempo, energy, timbre.
"""

from dataclasses import dataclass

import numpy as np
import scipy.signal

SAMPLE_RATE_HZ = 16_000

# Control frames: 8 ms. Contours are drawn on them and interpolated between.
_HOP = 128
_FRAME_SECONDS = _HOP / SAMPLE_RATE_HZ
_FFT = 1024

# First three formants in Hz of an average male voice, after Peterson & Barney
# (1952): i, I, E, ae, a, o, U, u, V, 3.
_VOWELS_HZ = np.array(
    [
        [270, 2290, 3010],
        [390, 1990, 2550],
        [530, 1840, 2480],
        [660, 1720, 2410],
        [730, 1090, 2440],
        [570, 840, 2410],
        [440, 1020, 2240],
        [300, 870, 2240],
        [640, 1190, 2390],
        [490, 1350, 1690],
    ]
)
# A tract of 17 cm has one about every kilohertz up to half the sample rate.
_UPPER_FORMANTS_HZ = (3500.0, 4500.0, 5500.0, 6500.0, 7500.0)
_BANDWIDTHS_HZ = (70.0, 90.0, 120.0, 175.0, 250.0, 300.0, 350.0, 400.0)
_HIGHEST_FORMANT_HZ = 7800.0
# Band edges of the two hisses, as in "s" and "sh".
_HISSES_HZ = ((4000.0, 7500.0), (2000.0, 5500.0))
# How a syllable may begin.
_ONSETS = ("vowel", "glide", "stop", "hiss")
_ONSET_SHARES = (0.2, 0.35, 0.25, 0.2)


@dataclass(frozen=True)
class Delivery:
    """How one utterance is spoken: speaker, emotion and chance together.

    Attributes:
      pitch_hz: middle of the pitch contour.
      range_semitones: standard deviation of the pitch accents.
      syllables_per_second: tempo within a phrase.
      level_db: RMS over the speech itself, relative to full scale.
      brightness_octaves: corner of the source's low-pass, relative to 1500 Hz:
        a tense voice is bright, a lax one dull.
      breathiness_db: breath noise relative to the pulses.
      pause_seconds: mean pause between two phrases.
      tract_scale: formant frequencies relative to an average man's.
      jitter: standard deviation of a period, relative to it.
      room_db: RMS of the recording's noise, relative to full scale.
    """

    pitch_hz: float
    range_semitones: float
    syllables_per_second: float
    level_db: float
    brightness_octaves: float
    breathiness_db: float
    pause_seconds: float
    tract_scale: float
    jitter: float
    room_db: float


@dataclass(frozen=True)
class _Syllables:
    """What is said: arrays of shape (syllables,), times in seconds."""

    start: np.ndarray
    end: np.ndarray
    vowel: np.ndarray
    onset: np.ndarray  # index into _ONSETS
    accent: np.ndarray  # standard normal, times the range gives semitones
    position: np.ndarray  # 0 at a phrase's first syllable, 1 at its last


def speak(
    delivery: Delivery, duration_seconds: float, generator: np.random.Generator
) -> np.ndarray:
    """One utterance: (samples,) float32 at 16 kHz, within (-1, 1).

    Args:
      delivery: how to speak.
      duration_seconds: length of the result, above .5.
      generator: where chance comes from; the same state, the same samples.
    """
    num_samples = round(duration_seconds * SAMPLE_RATE_HZ)
    num_frames = -(-num_samples // _HOP) + 1
    syllables = _plan(delivery, duration_seconds, generator)
    time = np.arange(num_frames) * _FRAME_SECONDS
    pitch_hz = _pitch_contour(delivery, syllables, time, generator)
    formants_hz = _formant_tracks(delivery, syllables, time)
    voiced, hissing = _envelopes(syllables, time, generator)

    source = _source(delivery, pitch_hz, num_samples, generator)
    source *= _to_samples(voiced, num_samples)
    speech = _filter(source, _vocal_tract(delivery, formants_hz))
    speech /= np.sqrt(np.mean(np.square(speech))) + 1e-9
    for envelope, band_hz in zip(hissing, _HISSES_HZ, strict=True):
        sections = scipy.signal.butter(
            2, band_hz, "bandpass", fs=SAMPLE_RATE_HZ, output="sos"
        )
        hiss = scipy.signal.sosfilt(
            sections, generator.standard_normal(num_samples)
        )
        # A loud voice hisses louder, but less than it sings.
        speech += 0.35 * hiss * _to_samples(envelope, num_samples)

    active = _to_samples((voiced > 0.1).astype(float), num_samples) > 0
    rms = np.sqrt(np.mean(np.square(speech[active])))
    speech *= 10 ** (delivery.level_db / 20) / rms
    speech += 10 ** (delivery.room_db / 20) * generator.standard_normal(
        num_samples
    )
    # A microphone's limiter: straight below half scale, then bending over.
    over = np.abs(speech) > 0.5
    excess = np.abs(speech[over]) - 0.5
    speech[over] = np.sign(speech[over]) * (0.5 + 0.45 * np.tanh(excess / 0.45))
    return speech.astype(np.float32)


def _plan(delivery, duration_seconds, generator) -> _Syllables:
    """Phrases of three to seven syllables with pauses between them."""
    rows, phrase, left = [], [], generator.integers(3, 8)
    now, last = 0.05 + 0.1 * generator.random(), duration_seconds - 0.08
    while True:
        length = generator.lognormal(0.0, 0.2) / delivery.syllables_per_second
        length = max(length, 0.09)
        if now + length > last and (rows or phrase):
            break
        phrase.append((now, min(now + length, last)))
        now, left = now + length, left - 1
        if left == 0:
            rows.append(phrase)
            phrase, left = [], generator.integers(3, 8)
            now += delivery.pause_seconds * generator.uniform(0.6, 1.4)
    if phrase:
        rows.append(phrase)
    times = np.array([syllable for phrase in rows for syllable in phrase])
    count = len(times)
    return _Syllables(
        start=times[:, 0],
        end=times[:, 1],
        vowel=generator.integers(len(_VOWELS_HZ), size=count),
        onset=generator.choice(len(_ONSETS), size=count, p=_ONSET_SHARES),
        accent=generator.standard_normal(count),
        position=np.concatenate([np.linspace(0, 1, len(p)) for p in rows]),
    )


def _pitch_contour(delivery, syllables, time, generator) -> np.ndarray:
    """Accents on syllables, falling within a phrase: (frames,) in Hz."""
    middle = (syllables.start + syllables.end) / 2
    falling = 0.8 * (0.5 - syllables.position)
    accents = delivery.range_semitones * (syllables.accent + falling)
    drift = _smooth(generator.standard_normal(len(time)), 25)
    semitones = np.interp(time, middle, accents) + drift
    pitch_hz = delivery.pitch_hz * 2 ** (_smooth(semitones, 9) / 12)
    return np.clip(pitch_hz, 60.0, 600.0)


def _formant_tracks(delivery, syllables, time) -> np.ndarray:
    """(frames, formants) in Hz: held for half of a syllable, then gliding."""
    length = syllables.end - syllables.start
    knots = np.stack(
        [syllables.start + share * length for share in (0.35, 0.85)], axis=1
    ).ravel()
    targets = np.repeat(_VOWELS_HZ[syllables.vowel], 2, axis=0)
    tracks = [
        _smooth(np.interp(time, knots, target), 7) for target in targets.T
    ]
    tracks += [np.full(len(time), hertz) for hertz in _UPPER_FORMANTS_HZ]
    hertz = np.stack(tracks, axis=1) * delivery.tract_scale
    return np.minimum(hertz, _HIGHEST_FORMANT_HZ)


def _envelopes(syllables, time, generator):
    """Voicing (frames,) in 0..1, and one such envelope for each hiss."""
    voiced = np.zeros(len(time))
    hissing = np.zeros((len(_HISSES_HZ), len(time)))
    kinds = generator.integers(len(_HISSES_HZ), size=len(syllables.start))
    strengths = generator.uniform(0.6, 1.0, size=len(syllables.start))
    for start, end, onset, kind, strength in zip(
        syllables.start,
        syllables.end,
        syllables.onset,
        kinds,
        strengths,
        strict=True,
    ):
        name, length = _ONSETS[onset], end - start
        begin = start + {"stop": 0.3, "hiss": 0.35}.get(name, 0.0) * length
        inside = (time >= begin) & (time < end)
        place = (time[inside] - begin) / (end - begin)
        # Rises fast, falls slowly, never quite closes within a phrase.
        hump = np.minimum(place / 0.15, 1.0) * (1.0 - 0.6 * place**2)
        voiced[inside] = strength * (0.25 + 0.75 * hump)
        if name == "glide":
            voiced[inside] *= np.clip(0.35 + place / 0.3, 0.0, 1.0)
        if name == "hiss":
            hissing[kind, (time >= start) & (time < begin)] = strength
        if name == "stop":
            burst = (time >= begin - 0.016) & (time < begin)
            hissing[kind, burst] = strength
    return _smooth(voiced, 3), [_smooth(each, 3) for each in hissing]


def _source(delivery, pitch_hz, num_samples, generator) -> np.ndarray:
    """Glottal flow derivative with breath: (samples,), RMS about 1."""
    phase = np.cumsum(_to_samples(pitch_hz, num_samples)) / SAMPLE_RATE_HZ
    cycles = np.arange(int(phase[-1]) + 2)
    jitter = delivery.jitter * generator.standard_normal(len(cycles))
    phase = np.maximum(phase + np.interp(phase, cycles, jitter), 0.0)
    cycle = np.minimum(phase.astype(int), len(cycles) - 1)
    shimmer = np.exp(
        2 * delivery.jitter * generator.standard_normal(cycle[-1] + 1)
    )
    # Rosenberg's pulse: opens over 40 % of the period, closes over 16 %.
    place = phase - phase.astype(int)
    opening, closing = 0.40, 0.16
    flow = np.where(
        place < opening,
        0.5 * (1 - np.cos(np.pi * place / opening)),
        np.where(
            place < opening + closing,
            np.cos(0.5 * np.pi * (place - opening) / closing),
            0.0,
        ),
    )
    pulses = np.diff(flow, prepend=flow[0])
    pulses *= shimmer[cycle] / (np.sqrt(np.mean(np.square(pulses))) + 1e-9)
    # Breath is strongest while the glottis is open.
    breath = generator.standard_normal(num_samples) * (0.4 + 0.6 * flow)
    return pulses + 10 ** (delivery.breathiness_db / 20) * breath


def _vocal_tract(delivery, formants_hz) -> np.ndarray:
    """Complex responses (frames, bins): resonators and the source's tilt."""
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
    delay = np.exp(-2j * np.pi * hertz / SAMPLE_RATE_HZ)
    response = np.ones((len(formants_hz), len(hertz)), complex)
    for track, bandwidth_hz in zip(formants_hz.T, _BANDWIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE_HZ)
        turn = 2 * radius * np.cos(2 * np.pi * track / SAMPLE_RATE_HZ)
        dc = 1 - turn + radius**2
        response *= dc[:, None] / (
            1 - turn[:, None] * delay + radius**2 * delay**2
        )
    corner_hz = 1500.0 * 2**delivery.brightness_octaves
    pole = np.exp(-2 * np.pi * corner_hz / SAMPLE_RATE_HZ)
    return response * (1 - pole) / (1 - pole * delay)


def _filter(signal: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Applies one response a frame by windowed overlap-add: (samples,)."""
    num_frames = len(responses)
    padded = np.zeros((num_frames + 1) * _HOP)
    # Frame k is centred on the sample that its contours were drawn for.
    padded[_HOP : _HOP + len(signal)] = signal[: num_frames * _HOP]
    window = scipy.signal.windows.hann(2 * _HOP, sym=False)
    blocks = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOP)
    spectra = np.fft.rfft(blocks[::_HOP] * window, _FFT)
    filtered = np.fft.irfft(spectra * responses, _FFT)
    parts = _FFT // _HOP
    result = np.zeros((num_frames + parts, _HOP))
    for part in range(parts):
        piece = filtered[:, part * _HOP : (part + 1) * _HOP]
        result[part : part + num_frames] += piece
    return result.ravel()[_HOP : _HOP + len(signal)]


def _to_samples(frames: np.ndarray, num_samples: int) -> np.ndarray:
    return np.interp(
        np.arange(num_samples), np.arange(len(frames)) * _HOP, frames
    )


def _smooth(values: np.ndarray, num_frames: int) -> np.ndarray:
    """Moving Hann average of odd length; the ends repeat."""
    weights = scipy.signal.windows.hann(num_frames + 2)[1:-1]
    padded = np.pad(values, num_frames // 2, mode="edge")
    return np.convolve(padded, weights / weights.sum(), "valid")
