"""CREMA-D (Cao et al. 2014): 91 actors, six acted emotions, English.

`AudioWAV/1001_DFA_ANG_XX.wav` is actor 1001, sentence DFA, emotion ANG, level
of intensity XX (unspecified). The label is what the actor was asked to express,
as in the file's name; how listeners rated the clip is not used.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.reading import (
    audio_folder,
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
)

EMOTIONS = {
    "NEU": "neutral",
    "ANG": "angry",
    "HAP": "happy",
    "SAD": "sad",
    "FEA": "fearful",
    "DIS": "disgusted",
}
PUBLISHED = {
    label: 1087 if label == "neutral" else 1271 for label in EMOTIONS.values()
}
ACTORS = tuple(str(number) for number in range(1001, 1092))
SENTENCES = (
    *("IEO", "TIE", "IOM", "IWW", "TAI", "MTI"),
    *("IWL", "ITH", "DFA", "ITS", "TSI", "WSI"),
)

# A clip of the release is named 1040_ITH_SAD_X.
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(?:LO|MD|HI|XX?)")
_EXPECTED = "AudioWAV/1001_DFA_ANG_XX.wav or 1001_DFA_ANG_XX.wav"
# What a clone of the corpus' repository holds in place of large files.
_LFS_POINTER = b"version https://git-lfs"


def read_cremad(config: BuildConfig) -> CorpusListing:
    """Lists CREMA-D's clips: four emotions, or those of `config.emotions`.

    The files lie in `AudioWAV` or directly in the folder. Sessions are pairs
    of actors in order; the last of the 91 is alone, and trains only.

    Raises:
      UsageError: the folder is missing or holds no such file, or pointers of
        Git LFS instead of audio; an emotion is unknown, or nothing is left.
    """
    require_folder(config.corpus_dir, _EXPECTED)
    label_names = chosen_labels(
        config.emotions, EMOTIONS.values(), PAPER_EMOTIONS
    )
    folder = audio_folder(config.corpus_dir, "AudioWAV")
    utterances, left_out = [], defaultdict(list)
    for path in visible_files(folder, ".wav"):
        match = _NAME.fullmatch(path.stem)
        if (
            not match
            or match[1] not in ACTORS
            or match[2] not in SENTENCES
            or match[3] not in EMOTIONS
        ):
            left_out["not a CREMA-D file name"].append(path.name)
        elif (label := EMOTIONS[match[3]]) not in label_names:
            left_out[f"emotion {label}"].append(path.name)
        else:
            utterances.append(Utterance(path.stem, path, label, match[1], ""))
    if not utterances and not left_out:
        raise UsageError(
            f"No CREMA-D file in {folder}. Expected in {config.corpus_dir}: "
            f"{_EXPECTED}."
        )
    excluded = {name: len(files) for name, files in sorted(left_out.items())}
    require_utterances(utterances, label_names, excluded, _EXPECTED)
    _refuse_pointer(utterances[0].path)
    in_sessions, remarks = with_paired_speakers(utterances)
    strangers = left_out.get("not a CREMA-D file name")
    return CorpusListing(
        "cremad",
        in_sessions,
        label_names,
        excluded,
        (
            *counts_table(utterances, label_names),
            *_compare(utterances, label_names),
            *remarks,
            *(
                [f"Not CREMA-D file names: {first_few(strangers)}."]
                if strangers
                else []
            ),
        ),
    )


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise UsageError(
                f"{path} is no audio but a pointer of Git LFS. In the clone "
                "of the corpus, run `git lfs pull` first."
            )


def _compare(
    utterances: list[Utterance], label_names: tuple[str, ...]
) -> Iterator[str]:
    found = dict.fromkeys(label_names, 0)
    for utterance in utterances:
        found[utterance.label] += 1
    actors = len({utterance.speaker for utterance in utterances})
    different = [
        f"{label} {count} instead of {PUBLISHED[label]}"
        for label, count in found.items()
        if count != PUBLISHED[label]
    ]
    if actors != len(ACTORS):
        yield f"{actors} of {len(ACTORS)} actors are here."
    if different:
        yield (
            f"Counts differ from the published ones: {', '.join(different)}."
        )
    else:
        yield "All counts are the published ones."
