"""What builders of records are told about their folds."""

from types import SimpleNamespace

import pytest

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.sessions import Sessions, what_is_missing


def said(**sessions):
    """What is said of sessions of speakers and their classes' numbers."""
    entries = [
        SimpleNamespace(session=session, speaker=speaker, label=label)
        for session, speakers in sessions.items()
        for speaker, labels in speakers.items()
        for label in labels
    ]
    return what_is_missing(Sessions(entries, ("angry", "sad")))


BOTH = (0, 1)


def test_nothing_is_said_of_two_whole_sessions():
    assert said(i={"a": BOTH, "b": BOTH}, j={"c": BOTH, "d": BOTH}) == []


def test_no_fold_can_be_tested():
    (line,) = said(i={"a": BOTH, "b": BOTH})
    assert line.startswith(
        "No fold can be tested: the records hold 2 speakers (a, b). A fold "
        "needs at least three"
    )
    (line,) = said(i={"a": BOTH, "b": BOTH, "c": BOTH})
    assert line.startswith("No fold can be tested: all speakers are in sess")
    (line,) = said(i={"a": BOTH}, j={"b": BOTH}, k={"c": BOTH})
    assert "session 'i' has 1 speaker (a); holding it out takes" in line
    assert line.endswith("and build the records again.")
    # Whoever is held out, somebody has to be sad.
    line, *lacking = said(i={"a": (0,), "b": BOTH}, j={"c": (0,), "d": (0,)})
    assert line.startswith("Fold 1 cannot be tested: there is no utterance of")
    assert lacking == [
        "Speaker a has no utterances of sad.",
        "Speaker c has no utterances of sad: fold 2 needs "
        "--allow_missing_classes.",
        "Speaker d has no utterances of sad: fold 2 needs "
        "--allow_missing_classes.",
    ]


def test_many_speakers_without_a_class():
    people = {f"s{i}": {f"a{i}": BOTH, f"b{i}": (0,)} for i in range(12)}
    lines = said(**people)
    assert len(lines) == 11
    assert lines[-1] == "2 more speakers have no utterances of some class."


@pytest.mark.parametrize(
    ("corpus", "names", "possible"),
    [
        # 24 actors; 91, of whom the last is alone.
        (
            "ravdess",
            [
                f"Actor_{actor:02}/03-01-{code}-01-01-01-{actor:02}.wav"
                for actor in range(1, 25)
                for code in ("01", "03", "04", "05")
            ],
            12,
        ),
        (
            "cremad",
            [
                f"{actor}_DFA_{code}_XX.wav"
                for actor in range(1001, 1092)
                for code in ("NEU", "ANG", "HAP", "SAD")
            ],
            45,
        ),
    ],
)
def test_sessions_of_whole_corpora(tmp_path, corpus, names, possible):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    listing = CORPORA[corpus](BuildConfig(corpus, tmp_path, tmp_path / "r"))
    entries = [
        SimpleNamespace(
            session=each.session,
            speaker=each.speaker,
            label=listing.label_names.index(each.label),
        )
        for each in listing.utterances
    ]
    sessions = Sessions(entries, listing.label_names)
    assert sessions.possible() == list(range(1, possible + 1))
