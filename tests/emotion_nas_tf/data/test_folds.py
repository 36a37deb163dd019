"""Folds of hand-written manifests."""

import dataclasses

import pytest

from emotion_nas_tf.data.folds import check_leaks, make_folds, missing_classes
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry, RecordsManifest

LABELS = ("neutral", "angry")
# Session 10 comes after session 2, speaker 10 after speaker 9.
SESSIONS = {"2": ("10", "9"), "1": ("a", "b"), "10": ("c", "d")}


def manifest_of(people, labels=LABELS):
    """Of (session, speaker, label) triples; every clip's audio differs."""
    entries = tuple(
        RecordEntry(
            id=f"{speaker}_{index}",
            speaker=speaker,
            session=session,
            label=label,
            content_sha256=f"content {index}",
            duration_seconds=1.0,
            shard=0,
            position=index,
        )
        for index, (session, speaker, label) in enumerate(people)
    )
    return RecordsManifest(1, "emodb", labels, {}, "", "none", entries, ())


@pytest.fixture
def manifest():
    return manifest_of(
        (session, speaker, label)
        for session, speakers in SESSIONS.items()
        for speaker in speakers
        for label in (0, 1)
    )


def change(manifest, index, **changes):
    entries = list(manifest.entries)
    entries[index] = dataclasses.replace(entries[index], **changes)
    return dataclasses.replace(manifest, entries=tuple(entries))


def test_fold_holds_out_a_session(manifest):
    first, second = make_folds(manifest, 2)
    assert (first.number, first.session) == (2, "2")
    assert first.training_speakers == ("a", "b", "c", "d")
    assert (first.validation_speaker, first.test_speaker) == ("10", "9")
    # Entries 0 and 1 are of speaker 10, 2 and 3 of speaker 9.
    assert first.training == (4, 5, 6, 7, 8, 9, 10, 11)
    assert first.validation == (0, 1)
    assert first.test == (2, 3)
    assert (second.validation, second.test) == (first.test, first.validation)
    assert (second.validation_speaker, second.test_speaker) == ("9", "10")
    assert second.training == first.training


def test_one_direction(manifest):
    both = make_folds(manifest, 1, "both")
    assert make_folds(manifest, 1, "first") == both[:1]
    assert make_folds(manifest, 1, "second") == both[1:]
    with pytest.raises(ValueError, match="test_speaker must be one of"):
        make_folds(manifest, 1, "third")


def test_every_utterance_is_tested_once(manifest):
    tested = [
        index
        for number in (1, 2, 3)
        for fold in make_folds(manifest, number)
        for index in fold.test
    ]
    assert sorted(tested) == list(range(len(manifest.entries)))


@pytest.mark.parametrize("number", [0, 4, -1])
def test_missing_fold_lists_the_others(manifest, number):
    with pytest.raises(UsageError) as caught:
        make_folds(manifest, number)
    message = str(caught.value)
    assert f"Fold {number} does not exist" in message
    assert "fold 3 holds out session 10 (speakers c, d)" in message
    assert "the records have 3 sessions" in message
    assert message.endswith("--folds=1,2,3")


def test_one_speaker_only():
    with pytest.raises(UsageError, match=r"1 speaker.*at least three"):
        make_folds(manifest_of([("1", "a", 0), ("1", "a", 1)]), 1)


def test_one_session_only():
    people = [("1", speaker, 0) for speaker in "abcd"]
    with pytest.raises(UsageError, match="nobody is left to train"):
        make_folds(manifest_of(people), 1)


@pytest.mark.parametrize("speakers", ["a", "abc"])
def test_session_without_two_speakers(manifest, speakers):
    people = [("0", speaker, label) for speaker in speakers for label in (0, 1)]
    people += [(e.session, e.speaker + "x", e.label) for e in manifest.entries]
    with pytest.raises(
        UsageError, match=rf"'0' has {len(speakers)} speaker.*--folds=2,3,4\."
    ):
        make_folds(manifest_of(people), 1)
    # The others' folds are not concerned.
    assert len(make_folds(manifest_of(people), 2)) == 2


def test_speaker_on_two_sides(manifest):
    # Speaker 9, of session 2, says something in session 1 too.
    leaking = change(manifest, 4, speaker="9")
    with pytest.raises(UsageError, match="speaker 9 is on two sides") as caught:
        make_folds(leaking, 2)
    assert "a_4 (training)" in str(caught.value)
    assert "9_2 (test)" in str(caught.value)


def test_speaker_on_two_sides_of_one_session(manifest):
    fold = make_folds(manifest, 2, "first")[0]
    fold = dataclasses.replace(fold, validation=(0, 1, 2), test=(3,))
    with pytest.raises(UsageError, match="speaker 9 is on two sides"):
        check_leaks(manifest, fold)


def test_identical_audio_on_two_sides(manifest):
    leaking = change(manifest, 11, content_sha256="content 2")
    with pytest.raises(UsageError, match="identical audio") as caught:
        make_folds(leaking, 2)
    assert "d_11 (training) = 9_2 (test)" in str(caught.value)
    # Fold 1 has both in training.
    assert len(make_folds(leaking, 1)) == 2


@pytest.mark.parametrize(
    ("index", "split", "speaker"),
    [(3, "test", "9"), (1, "validation", "10")],
)
def test_missing_class(manifest, index, split, speaker):
    poor = change(manifest, index, label=0)
    message = rf"class angry in the {split} split \(speaker {speaker}\)"
    with pytest.raises(UsageError, match=message):
        make_folds(poor, 2, "first")
    (fold,) = make_folds(poor, 2, "first", allow_missing_classes=True)
    nothing = {"training": [], "validation": [], "test": []}
    assert missing_classes(poor, fold) == {**nothing, split: ["angry"]}


def test_missing_class_in_training_is_never_allowed(manifest):
    labels = (*LABELS, "happy")
    poor = dataclasses.replace(manifest, label_names=labels)
    with pytest.raises(UsageError, match="happy in the training split"):
        make_folds(poor, 1, allow_missing_classes=True)
