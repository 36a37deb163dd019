"""Who speaks in the synthetic corpus, and how emotions sound there.

Every manner of speaking is a point in seven dimensions; an utterance's is the
sum of its speaker's habit, its emotion and chance:

    manner = speaker + emotion + chance

The emotions' points follow what studies of vocal emotion agree on (Banse &
Scherer 1996; Juslin & Laukka 2003): anger loud, high, fast, bright; happiness
high, lively, fast; sadness low, flat, slow, soft, dull, breathy. Chance is
wide enough that the classes overlap.
"""

from dataclasses import dataclass

import numpy as np

from tfrecords_builder.corpora.voice import Delivery, speak

# Columns of the tables below and their units.
# pitch: semitones; range, tempo, pause: octaves (log2 of a ratio);
# level, breath: dB; brightness: octaves.
DIMENSIONS = (
    "pitch",
    "range",
    "tempo",
    "pause",
    "level",
    "breath",
    "brightness",
)
_EMOTIONS = {
    "neutral": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "angry": (4.4, 1.1, 0.65, -1.3, 6.0, -6.5, 1.3),
    "happy": (7.7, 2.2, 0.50, -0.7, 3.3, 0.0, 0.4),
    "sad": (-2.8, -1.7, -0.90, 1.4, -5.5, 7.5, -1.0),
}
# How much speakers differ, and one speaker from time to time (standard
# deviations). Chance sets how hard the corpus is; it was chosen so that the
# best simple classifier of benchmarks/synthetic_difficulty.py hears 88 to 92 %
# on unseen speakers, and the mean spectrum alone 74 to 78 %.
_SPEAKER_SPREAD = np.array([0.8, 0.10, 0.04, 0.1, 1.8, 1.4, 0.2])
_CHANCE_SPREAD = np.array([1.3, 0.23, 0.08, 0.3, 2.6, 2.6, 0.3])

# Middle pitch and formant scale (the vocal tract's length) by sex.
_PITCH_HZ = {"F": 200.0, "M": 115.0}
_TRACT_SCALE = {"F": 1.16, "M": 1.0}

# What a manner of zeros sounds like.
_RANGE_SEMITONES = 1.5
_SYLLABLES_PER_SECOND = 4.4
_PAUSE_SECONDS = 0.25
_LEVEL_DB = -28.0
_BREATH_DB = -24.0

SHORTEST_SECONDS, LONGEST_SECONDS = 1.5, 4.0


@dataclass(frozen=True)
class Voice:
    """A speaker of the corpus.

    Attributes:
      sex: `F` or `M`.
      habit: (7,) float, the speaker's own manner.
      tract_scale: formants relative to an average man's.
      room_db: noise of the room the speaker was recorded in.
    """

    sex: str
    habit: np.ndarray
    tract_scale: float
    room_db: float


def voice(seed: int, session: int, sex: str) -> Voice:
    """The speaker of a session (1 to 5) and sex."""
    generator = np.random.default_rng([seed, session, "FM".index(sex)])
    return Voice(
        sex=sex,
        habit=_SPEAKER_SPREAD * generator.standard_normal(len(DIMENSIONS)),
        tract_scale=_TRACT_SCALE[sex] * 2 ** generator.normal(0.0, 0.06),
        room_db=generator.uniform(-68.0, -56.0),
    )


def utterance(
    seed: int, session: int, sex: str, emotions: tuple[str, ...], index: int
) -> np.ndarray:
    """One utterance: (samples,) float32 at 16 kHz.

    It depends on its arguments alone, whatever was generated before.

    Args:
      seed: of the corpus.
      session: 1 to 5.
      sex: `F` or `M`.
      emotions: one of neutral, angry, happy, sad; several for a mixture, as
        in turns on which raters disagree.
      index: number of the utterance among those of this speaker and emotion.
    """
    codes = [1 + list(_EMOTIONS).index(name) for name in emotions]
    generator = np.random.default_rng(
        [seed, session, "FM".index(sex), index, *codes]
    )
    speaker = voice(seed, session, sex)
    emotion = np.mean([_EMOTIONS[name] for name in emotions], axis=0)
    chance = generator.standard_normal(len(DIMENSIONS))
    manner = speaker.habit + emotion + _CHANCE_SPREAD * chance
    duration = generator.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
    return speak(_delivery(speaker, manner), duration, generator)


def _delivery(speaker: Voice, manner: np.ndarray) -> Delivery:
    at = dict(zip(DIMENSIONS, manner, strict=True))
    return Delivery(
        pitch_hz=_PITCH_HZ[speaker.sex] * 2 ** (at["pitch"] / 12),
        range_semitones=_RANGE_SEMITONES * 2 ** at["range"],
        syllables_per_second=_SYLLABLES_PER_SECOND * 2 ** at["tempo"],
        level_db=_LEVEL_DB + at["level"],
        brightness_octaves=at["brightness"],
        breathiness_db=min(_BREATH_DB + at["breath"], -6.0),
        pause_seconds=_PAUSE_SECONDS * 2 ** at["pause"],
        tract_scale=speaker.tract_scale,
        jitter=0.01,
        room_db=speaker.room_db,
    )
