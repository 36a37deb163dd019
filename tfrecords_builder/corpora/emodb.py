"""EmoDB (Burkhardt et al. 2005): ten actors, seven acted emotions, German.

`03a01Fa.wav` is speaker 03, text a01, emotion F, version a. The files lie in
`wav/` or directly in the corpus folder.
"""

import re
from collections import Counter

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.reading import (
    audio_folder,
    chosen_labels,
    counts_table,
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
)

# The letters abbreviate German words: Wut, Langeweile, Ekel, Angst, Freude,
# Trauer.
EMOTIONS = {
    "N": "neutral",
    "W": "angry",
    "F": "happy",
    "T": "sad",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
}
# One man and one woman a session. EmoDB has no sessions: the pairs are ours,
# so that its folds have IEMOCAP's form.
SESSIONS = {
    "1": ("03", "09"),
    "2": ("10", "08"),
    "3": ("11", "13"),
    "4": ("12", "14"),
    "5": ("15", "16"),
}

_SESSION_OF = {
    speaker: session
    for session, speakers in SESSIONS.items()
    for speaker in speakers
}
_NAME = re.compile(r"(\d\d)[ab]\d\d([A-Z])[a-z]?")
_EXPECTED = "wav/03a01Fa.wav or 03a01Fa.wav"


def read_emodb(config: BuildConfig) -> CorpusListing:
    """Lists EmoDB's utterances: four emotions, or those of `config.emotions`.

    Raises:
      UsageError: the folder is missing or holds no such file, a speaker is not
        one of the ten, an emotion is unknown, or nothing is left.
    """
    require_folder(config.corpus_dir, _EXPECTED)
    label_names = chosen_labels(
        config.emotions, EMOTIONS.values(), PAPER_EMOTIONS
    )
    folder = audio_folder(config.corpus_dir, "wav")
    utterances, excluded, strangers = [], Counter(), []
    for path in visible_files(folder, ".wav"):
        match = _NAME.fullmatch(path.stem)
        if not match or match[2] not in EMOTIONS:
            strangers.append(path.name)
            continue
        speaker, label = match[1], EMOTIONS[match[2]]
        if speaker not in _SESSION_OF:
            raise UsageError(
                f"{path}: EmoDB has no speaker {speaker}. Known: "
                f"{', '.join(sorted(_SESSION_OF))}. Audio of other people "
                "comes in through --corpus=manifest."
            )
        if label not in label_names:
            excluded[f"emotion {label}"] += 1
            continue
        utterances.append(
            Utterance(path.stem, path, label, speaker, _SESSION_OF[speaker])
        )
    if not utterances and not excluded:
        raise UsageError(
            f"No EmoDB file in {folder}. Expected in {config.corpus_dir}: "
            f"{_EXPECTED}."
        )
    if strangers:
        excluded["not an EmoDB file name"] = len(strangers)
    require_utterances(utterances, label_names, excluded)
    report = counts_table(utterances, label_names)
    if strangers:
        report += (f"Not EmoDB file names: {first_few(strangers)}",)
    return CorpusListing(
        "emodb",
        tuple(utterances),
        label_names,
        dict(sorted(excluded.items())),
        report,
    )
