"""A generated corpus in IEMOCAP's own layout, read by the IEMOCAP reader.

Ten speakers, a woman and a man in each of five sessions, say the same number
of utterances in each of the paper's four emotions, one scenario an emotion;
a few turns that raters called excited or frustrated, or could not agree on,
stand between them as in the real corpus. WAV files, 16 kHz, 16 bit.

It is for trying things out where no licensed corpus is: what works on these
voices need not work on people.
"""

import dataclasses
import io
import json
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import soundfile

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import synthetic_voices
from tfrecords_builder.corpora.iemocap import read_iemocap
from tfrecords_builder.corpora.voice import SAMPLE_RATE_HZ
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing, write_json
from tfrecords_builder.utterance import PAPER_EMOTIONS, CorpusListing

# Raised when the same settings start to give other audio.
GENERATOR_VERSION = 1
SETTINGS_NAME = "synthetic.json"
SESSIONS = (1, 2, 3, 4, 5)
# Turn numbers have three digits.
MOST_UTTERANCES = 1000

_CODES = {"neutral": "neu", "angry": "ang", "happy": "hap", "sad": "sad"}
# Turns outside the four classes: label and the emotions that mix in it.
_DECOYS = (
    ("xxx", ("neutral", "sad")),
    ("exc", ("happy", "happy")),
    ("fru", ("neutral", "angry")),
)
# What raters say: category, and centres of valence, activation, dominance.
_RATINGS = {
    "neu": ("Neutral", (3.0, 2.5, 2.5)),
    "ang": ("Anger", (1.5, 4.0, 4.0)),
    "hap": ("Happiness", (4.5, 3.5, 3.0)),
    "sad": ("Sadness", (2.0, 2.0, 1.5)),
    "exc": ("Excited", (4.5, 4.5, 3.5)),
    "fru": ("Frustration", (2.0, 3.5, 3.5)),
}
_RATERS = ("E1", "E2", "E4")


@dataclass(frozen=True)
class _Turn:
    """One turn: what to generate and how the raters label it."""

    id: str
    session: int
    sex: str
    label: str
    emotions: tuple[str, ...]
    index: int

    @property
    def dialog(self) -> str:
        return self.id.rsplit("_", 1)[0]


def read_synthetic(config: BuildConfig) -> CorpusListing:
    """Generates the corpus where it is not there yet, then reads it.

    A tree of the same settings is used again; what an interrupted generation
    left out is added. The same settings give the same samples, in whatever
    order and with however many processes.

    Raises:
      UsageError: for settings out of range, or when `corpus_dir` holds
        anything but a synthetic corpus of these settings.
    """
    _check_settings(config)
    _claim(config)
    _generate(config)
    listing = read_iemocap(config)
    counts = Counter(each.label for each in listing.utterances)
    return dataclasses.replace(
        listing,
        corpus="synthetic",
        report=(
            f"Generated voices, seed {config.seed}: "
            f"{len({each.speaker for each in listing.utterances})} speakers, "
            + ", ".join(
                f"{counts[name]} {name}" for name in listing.label_names
            )
            + ".",
        ),
    )


def _check_settings(config: BuildConfig) -> None:
    if not 1 <= config.synthetic_utterances <= MOST_UTTERANCES:
        raise UsageError(
            "The synthetic corpus needs 1 to "
            f"{MOST_UTTERANCES} utterances per speaker and emotion. "
            f"Received: {config.synthetic_utterances}."
        )
    if config.seed < 0:
        raise UsageError(
            "The seed of the synthetic corpus must be 0 or above. "
            f"Received: {config.seed}."
        )


def _claim(config: BuildConfig) -> None:
    """Writes the settings into an empty folder, or compares with its own."""
    wanted = {
        "generator_version": GENERATOR_VERSION,
        "seed": config.seed,
        "utterances_per_speaker_and_emotion": config.synthetic_utterances,
    }
    path = config.corpus_dir / SETTINGS_NAME
    advice = (
        "Give another --corpus_dir, or delete that folder to have it "
        "generated anew."
    )
    if config.corpus_dir.exists() and not config.corpus_dir.is_dir():
        raise UsageError(f"{config.corpus_dir} is not a folder. {advice}")
    if not path.is_file():
        if config.corpus_dir.is_dir() and any(config.corpus_dir.iterdir()):
            raise UsageError(
                f"{config.corpus_dir} holds something else than a synthetic "
                f"corpus (it has no {SETTINGS_NAME}), and nothing there is "
                "overwritten. Give another --corpus_dir."
            )
        config.corpus_dir.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{path} cannot be read ({error}). {advice}"
        ) from error
    if found != wanted:
        raise UsageError(
            f"{config.corpus_dir} was generated with other settings: "
            f"{found}, not {wanted}. {advice}"
        )


def _generate(config: BuildConfig) -> None:
    """Adds every WAV file and every label file that is not there yet."""
    turns = _plan(config)
    missing = [turn for turn in turns if not _wav_path(config, turn).is_file()]
    if missing:
        print(
            f"Generating {len(missing)} utterances in {config.corpus_dir}",
            flush=True,
        )
        for folder in {_wav_path(config, turn).parent for turn in missing}:
            folder.mkdir(parents=True, exist_ok=True)
        # Starting processes costs more than a handful of utterances.
        workers = (config.num_workers or -1) if len(missing) > 16 else 1
        joblib.Parallel(n_jobs=workers, batch_size=8)(
            joblib.delayed(_write_turn)(
                _wav_path(config, turn), config.seed, turn
            )
            for turn in missing
        )
    dialogs: dict[str, list[_Turn]] = {}
    for turn in turns:
        dialogs.setdefault(turn.dialog, []).append(turn)
    for dialog, members in dialogs.items():
        folder = _session_dir(config, members[0]) / "dialog" / "EmoEvaluation"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{dialog}.txt"
        if not path.is_file():
            with replacing(path) as temporary:
                temporary.write_text(_label_text(config, members), "utf-8")


def _plan(config: BuildConfig) -> list[_Turn]:
    """Every turn: woman and man in turn, one decoy to close each dialog."""
    turns = []
    for session in SESSIONS:
        # The marker is who wears motion capture; both speak in every dialog.
        for half, marker in enumerate("FM"):
            for scenario, emotion in enumerate(PAPER_EMOTIONS):
                dialog = f"Ses0{session}{marker}_impro0{scenario + 1}"
                number = 0
                for index in range(half, config.synthetic_utterances, 2):
                    turns += [
                        _Turn(
                            f"{dialog}_{sex}{number:03}",
                            session,
                            sex,
                            _CODES[emotion],
                            (emotion,),
                            index,
                        )
                        for sex in "FM"
                    ]
                    number += 1
                decoy = half * len(PAPER_EMOTIONS) + scenario
                label, emotions = _DECOYS[decoy % len(_DECOYS)]
                sex = "FM"[decoy % 2]
                turns.append(
                    _Turn(
                        f"{dialog}_{sex}{number:03}",
                        session,
                        sex,
                        label,
                        emotions,
                        decoy,
                    )
                )
    return turns


def _session_dir(config: BuildConfig, turn: _Turn) -> Path:
    return config.corpus_dir / f"Session{turn.session}"


def _wav_path(config: BuildConfig, turn: _Turn) -> Path:
    folder = _session_dir(config, turn) / "sentences" / "wav" / turn.dialog
    return folder / f"{turn.id}.wav"


def _write_turn(path: Path, seed: int, turn: _Turn) -> None:
    waveform = synthetic_voices.utterance(
        seed, turn.session, turn.sex, turn.emotions, turn.index
    )
    # Encoded in memory, so that a full disk is an error of the system's.
    encoded = io.BytesIO()
    soundfile.write(
        encoded, waveform, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV"
    )
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.getvalue())


def _label_text(config: BuildConfig, turns: list[_Turn]) -> str:
    """The consensus file of a dialog, as IEMOCAP writes it."""
    lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    end = 2.0
    for turn in turns:
        # Labels do not depend on what else was generated.
        generator = np.random.default_rng(
            [config.seed, zlib.crc32(turn.id.encode())]
        )
        start = end + generator.uniform(0.3, 2.0)
        end = start + soundfile.info(_wav_path(config, turn)).duration
        scores = _scores(turn, generator)
        means = np.mean(list(scores.values())[:2], axis=0)
        lines.append(
            f"[{start:.4f} - {end:.4f}]\t{turn.id}\t{turn.label}\t"
            "[" + ", ".join(f"{mean:.4f}" for mean in means) + "]"
        )
        lines += _category_lines(turn, generator)
        lines += [
            f"A-{rater}:\tval {valence}; act {activation}; "
            f"dom  {dominance};\t()"
            for rater, (valence, activation, dominance) in scores.items()
        ]
        lines.append("")
    return "\n".join(lines) + "\n"


def _scores(turn, generator) -> dict[str, np.ndarray]:
    """1 to 5 by rater: two external ones, then the actor's own."""
    _, centre = _RATINGS.get(turn.label, ("", (3.0, 3.0, 3.0)))
    raters = (*_RATERS[:2], f"{turn.sex}1")
    scores = generator.normal(centre, 0.5, size=(len(raters), 3))
    whole = np.clip(np.rint(scores), 1, 5).astype(int)
    return dict(zip(raters, whole, strict=True))


def _category_lines(turn, generator) -> list[str]:
    """Three external raters, of whom two or three agree; then the actor."""
    names = [name for name, _ in _RATINGS.values()]
    if turn.label == "xxx":
        said = list(generator.choice(names, size=4, replace=False))
    else:
        own = _RATINGS[turn.label][0]
        said = [own] * 4
        if generator.random() < 0.3:
            said[generator.integers(len(_RATERS))] = generator.choice(names)
    raters = (*_RATERS, f"{turn.sex}1")
    return [
        f"C-{rater}:\t{name};\t()"
        for rater, name in zip(raters, said, strict=True)
    ]
