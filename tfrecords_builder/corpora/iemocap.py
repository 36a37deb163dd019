"""IEMOCAP (Busso et al. 2008): five sessions, an actress and an actor in each.

    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt    labels of a dialog
    Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav
                 the actress wears the markers (Ses01F), the actor speaks (M)

The paper (section 3.1) uses the improvised dialogs and four emotions.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.iemocap_counts import compare_with_published
from tfrecords_builder.corpora.reading import (
    chosen_labels,
    first_few,
    require_folder,
    require_utterances,
    visible_files,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import (
    PAPER_EMOTIONS,
    CorpusListing,
    Utterance,
    natural_key,
)

EMOTIONS = {
    "neu": "neutral",
    "ang": "angry",
    "hap": "happy",
    "sad": "sad",
    "exc": "excited",
    "fru": "frustrated",
    "sur": "surprised",
    "fea": "fearful",
    "dis": "disgusted",
    "oth": "other",
}
NO_MAJORITY = "xxx"
SESSIONS = tuple(f"Session{number}" for number in range(1, 6))

# Reasons for leaving a turn out that every copy of the corpus has.
_ORDINARY = ("scripted", "no majority", "emotion")

_RELEASE = "IEMOCAP_full_release"
_LABELS = Path("dialog", "EmoEvaluation")
_EXPECTED = "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
# Session, scenario, and the LAST letter, who speaks; the first letter is who
# wears the motion-capture markers.
_TURN = re.compile(
    r"(Ses0[1-5])[FM]_(impro\d\d[ab]?|script\d\d_\d[ab]?)_([FM])\d{3}"
)
_LINE = re.compile(
    r"\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s+(?P<turn>\S+)\s+(?P<code>\S+)"
    r"\s+\[[^\]]*\]"
)


def read_iemocap(config: BuildConfig) -> CorpusListing:
    """Lists IEMOCAP's utterances.

    Improvised dialogs, and neutral, angry, happy and sad, unless
    `config.iemocap_scripts`, `config.merge_excited` (`exc` counts as happy) or
    `config.emotions` say otherwise. `config.corpus_dir` is the release or the
    folder that holds it. Every labelled turn is either listed or counted in
    `excluded`; the report sets the counts beside the published ones.

    Raises:
      UsageError: the folder is missing or holds no session, an emotion is
        unknown, or nothing is left.
    """
    label_names = chosen_labels(
        config.emotions, EMOTIONS.values(), PAPER_EMOTIONS
    )
    if config.merge_excited and "excited" in label_names:
        raise UsageError(
            "--merge_excited counts excited turns as happy: take 'excited' "
            "out of --emotions, or leave the flag out."
        )
    release = _find_release(config.corpus_dir)
    audio = {
        path.stem: path
        for session in SESSIONS
        for path in _audio_files(release / session)
    }
    utterances, left_out, seen = [], defaultdict(list), set()
    for turn, code in _read_labels(release):
        found = _sort_out(turn, code, audio.get(turn), config, label_names)
        if turn in seen:
            found = "turn labelled again"
        seen.add(turn)
        if isinstance(found, Utterance):
            utterances.append(found)
        else:
            left_out[found].append(turn)
    excluded = {name: len(turns) for name, turns in sorted(left_out.items())}
    require_utterances(utterances, label_names, excluded)
    utterances.sort(key=lambda utterance: natural_key(utterance.id))
    return CorpusListing(
        "iemocap",
        tuple(utterances),
        label_names,
        excluded,
        (
            *compare_with_published(
                utterances,
                label_names,
                merge_excited=config.merge_excited,
                scripts=config.iemocap_scripts,
            ),
            *_remarks(release, left_out, sorted(audio.keys() - seen)),
        ),
    )


def _find_release(corpus_dir: Path) -> Path:
    """The folder that holds `Session1` and the others."""
    require_folder(corpus_dir, _EXPECTED)
    if _sessions(corpus_dir):
        return corpus_dir
    found = [path for path in sorted(corpus_dir.iterdir()) if _sessions(path)]
    if not found:
        raise UsageError(
            f"No IEMOCAP session in {corpus_dir}. Expected there, or in its "
            f"folder {_RELEASE}: {_EXPECTED}."
        )
    if len(found) > 1:
        raise UsageError(
            f"Several copies of IEMOCAP in {corpus_dir}: "
            f"{', '.join(path.name for path in found)}. Name one of them "
            "with --corpus_dir."
        )
    return found[0]


def _sessions(release: Path) -> list[str]:
    return [name for name in SESSIONS if (release / name / _LABELS).is_dir()]


def _audio_files(session: Path) -> Iterator[Path]:
    """`sentences/wav/DIALOG/TURN.wav`, for turns of that dialog."""
    dialogs = session / "sentences" / "wav"
    if not dialogs.is_dir():
        return
    for dialog in sorted(dialogs.iterdir()):
        if dialog.is_dir() and not dialog.name.startswith("."):
            for path in visible_files(dialog, ".wav"):
                if path.stem.rsplit("_", 1)[0] == dialog.name:
                    yield path


def _read_labels(release: Path) -> Iterator[tuple[str, str]]:
    """(turn, code) of every label line; code is empty if not understood.

    Only the files directly in `EmoEvaluation` hold the agreed labels; its
    sub-folders are single raters'. Blocks of a turn have as many rater lines
    as the turn had raters, so lines are told by their form, not by position.
    """
    for session in _sessions(release):
        for path in visible_files(release / session / _LABELS, ".txt"):
            # Raters' comments hold a few bytes that are not UTF-8.
            text = path.read_text(encoding="utf-8", errors="replace")
            for line in text.splitlines():
                line = line.strip()
                if not line.startswith("["):
                    continue
                match = _LINE.match(line)
                if match:
                    yield match["turn"], match["code"]
                else:
                    yield f"{path.name}: {line[:60]}", ""


def _sort_out(
    turn: str,
    code: str,
    path: Path | None,
    config: BuildConfig,
    label_names: tuple[str, ...],
) -> Utterance | str:
    """The utterance of a label line, or why it is left out."""
    if not code:
        return "line not understood"
    match = _TURN.fullmatch(turn)
    if not match:
        return "turn name not understood"
    session, scenario, speaker_letter = match.groups()
    if scenario.startswith("script") and not config.iemocap_scripts:
        return "scripted dialog"
    if code == NO_MAJORITY:
        return f"no majority label ({NO_MAJORITY})"
    if code not in EMOTIONS:
        return f"unknown label {code}"
    label = EMOTIONS[code]
    if config.merge_excited and label == "excited":
        label = "happy"
    if label not in label_names:
        return f"emotion {label}"
    if path is None:
        return "no audio file"
    return Utterance(turn, path, label, session + speaker_letter, session)


def _remarks(
    release: Path, left_out: dict[str, list[str]], unlabelled: list[str]
) -> Iterator[str]:
    """What is unusual about this copy of the corpus, in lines."""
    missing = [name for name in SESSIONS if name not in _sessions(release)]
    if missing:
        yield f"Missing: {', '.join(missing)} (no folder {_LABELS})."
    for reason, turns in sorted(left_out.items()):
        if not reason.startswith(_ORDINARY):
            yield f"Left out, {reason}: {len(turns)} ({first_few(turns)})."
    if unlabelled:
        yield (
            f"Audio without a label: {len(unlabelled)} "
            f"({first_few(unlabelled)})."
        )
