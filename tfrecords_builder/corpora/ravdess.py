"""RAVDESS (Livingstone and Russo 2018): 24 actors, eight acted emotions.

    Actor_01/03-01-05-02-01-01-01.wav
             |  |  |  |  |  |  actor: odd numbers are men
             |  |  |  |  |  repetition, 1 or 2
             |  |  |  |  statement, 1 or 2
             |  |  |  intensity: normal or strong
             |  |  emotion
             |  channel: speech or song
             modality: audio alone is 03, the others are videos

English, 48 kHz, recorded quietly. Speech is used, song is counted.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.reading import (
    chosen_labels,
    counts_table,
    first_few,
    require_folder,
    require_utterances,
    visible_files,
    with_paired_speakers,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import (
    PAPER_EMOTIONS,
    CorpusListing,
    Utterance,
    natural_key,
)

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
# Of every actor: two statements, twice, at two intensities; neutral has one.
PUBLISHED = {
    label: 4 if label == "neutral" else 8 for label in EMOTIONS.values()
}

_ACTOR = re.compile(r"Actor_(\d\d)")
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(0[12])-(0[12])-(0[12])-(\d\d)")
_AUDIO_ONLY, _SPEECH, _SONG = "03", "01", "02"
_EXPECTED = "Actor_01/03-01-05-02-01-01-01.wav"


def read_ravdess(config: BuildConfig) -> CorpusListing:
    """Lists RAVDESS' spoken utterances: four emotions, or those asked for.

    The folder holds `Actor_NN`, or one folder that does. Sessions are pairs of
    actors in order, a man and a woman each. The report names the actors of
    whom this copy has other counts than the published ones.

    Raises:
      UsageError: the folder is missing or holds no actor, an emotion is
        unknown, or nothing is left.
    """
    label_names = chosen_labels(
        config.emotions, EMOTIONS.values(), PAPER_EMOTIONS
    )
    utterances, left_out = [], defaultdict(list)
    for folder in _actor_folders(config.corpus_dir):
        actor = _ACTOR.fullmatch(folder.name)[1]
        for path in visible_files(folder, ".wav"):
            found = _sort_out(path, actor)
            if isinstance(found, Utterance) and found.label not in label_names:
                found = f"emotion {found.label}"
            if isinstance(found, Utterance):
                utterances.append(found)
            else:
                left_out[found].append(path.name)
    if not utterances and not left_out:
        raise UsageError(
            f"No audio in the actors' folders of {config.corpus_dir}. "
            f"Expected: {_EXPECTED}."
        )
    excluded = {name: len(files) for name, files in sorted(left_out.items())}
    require_utterances(utterances, label_names, excluded, _EXPECTED)
    in_sessions, remarks = with_paired_speakers(utterances)
    return CorpusListing(
        "ravdess",
        in_sessions,
        label_names,
        excluded,
        (
            *counts_table(utterances, label_names),
            *_compare(utterances, label_names),
            *remarks,
            *(
                f"Left out, {reason}: {first_few(files)}."
                for reason, files in sorted(left_out.items())
                if not reason.startswith("emotion") and reason != "song"
            ),
        ),
    )


def _actor_folders(corpus_dir: Path) -> list[Path]:
    require_folder(corpus_dir, _EXPECTED)
    # Some copies hold all actors once more in a folder of their own: what lies
    # directly here comes first.
    nested = [path for path in sorted(corpus_dir.iterdir()) if path.is_dir()]
    found = [
        folders for path in (corpus_dir, *nested) if (folders := _actors(path))
    ]
    if not found:
        raise UsageError(
            f"No folder of an actor in {corpus_dir}. Expected there, or in "
            f"one folder of it: {_EXPECTED}."
        )
    if len(found) > 1 and found[0][0].parent != corpus_dir:
        names = ", ".join(folders[0].parent.name for folders in found)
        raise UsageError(
            f"Several folders in {corpus_dir} hold actors: {names}. Name one "
            "of them with --corpus_dir."
        )
    return found[0]


def _actors(folder: Path) -> list[Path]:
    return sorted(
        (
            path
            for path in folder.iterdir()
            if _ACTOR.fullmatch(path.name) and path.is_dir()
        ),
        key=lambda path: natural_key(path.name),
    )


def _sort_out(path: Path, actor: str) -> Utterance | str:
    """The utterance of a file, still without session, or why there is none."""
    match = _NAME.fullmatch(path.stem)
    if not match:
        return "not a RAVDESS file name"
    modality, channel, emotion, *_, named = match.groups()
    if (
        modality not in ("01", "02", _AUDIO_ONLY)
        or channel not in (_SPEECH, _SONG)
        or emotion not in EMOTIONS
    ):
        return "not a RAVDESS file name"
    if named != actor:
        return "another actor's file"
    if modality != _AUDIO_ONLY:
        return "the sound of a video"
    if channel == _SONG:
        return "song"
    return Utterance(path.stem, path, EMOTIONS[emotion], actor, "")


def _compare(
    utterances: list[Utterance], label_names: tuple[str, ...]
) -> Iterator[str]:
    counts = Counter((item.speaker, item.label) for item in utterances)
    different = [
        f"actor {speaker} {label} {counts[speaker, label]} instead of "
        f"{PUBLISHED[label]}"
        for speaker in sorted({item.speaker for item in utterances})
        for label in label_names
        if counts[speaker, label] != PUBLISHED[label]
    ]
    actors = len({item.speaker for item in utterances})
    if actors != 24:
        yield f"{actors} of 24 actors are here."
    if different:
        yield (
            f"{len(different)} counts differ from the published ones: "
            f"{first_few(different, 10)}."
        )
    elif actors == 24:
        yield "All counts are the published ones."
