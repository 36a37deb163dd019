"""Folds of hand-written manifests."""

import dataclasses
import random

import pytest

from emotion_nas_tf.data.folds import (
    find_leaks,
    make_folds,
    missing_classes,
    plan_folds,
)
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
    assert message.endswith("can be tested: 1, 2, 3 (--folds=all).")


def test_one_speaker_only():
    with pytest.raises(UsageError, match=r"1 speaker \(a\).*at least three"):
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
        UsageError,
        match=rf"'0' has {len(speakers)} speaker.*tested: 2, 3, 4 \(--folds",
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
    (leak,) = find_leaks(manifest, fold)
    assert "speaker 9 is on two sides" in leak


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
    message = (
        rf"^Fold 2: speaker {speaker} has no utterance of class angry\. .*"
        r"--allow_missing_classes.* tested: 1, 3 \(--folds=all\)\.$"
    )
    with pytest.raises(UsageError, match=message):
        make_folds(poor, 2, "first")
    (fold,) = make_folds(poor, 2, "first", allow_missing_classes=True)
    nothing = {"training": [], "validation": [], "test": []}
    assert missing_classes(poor, fold) == {**nothing, split: ["angry"]}


def test_missing_class_in_training_is_never_allowed(manifest):
    labels = (*LABELS, "happy")
    # Only session 1, which has entries 4 to 7, is happy.
    poor = dataclasses.replace(change(manifest, 4, label=2), label_names=labels)
    with pytest.raises(UsageError, match="class happy to train on") as caught:
        make_folds(poor, 1, allow_missing_classes=True)
    assert "--allow_missing_classes" not in str(caught.value)
    assert len(make_folds(poor, 2, allow_missing_classes=True)) == 2


def test_all_that_is_wrong_is_said_at_once():
    people = [
        (session, speaker, label)
        for session, speaker in zip("1122344", "abcdefg", strict=True)
        for label in (0, 1)
        if (speaker, label) != ("c", 1)
    ]
    records = manifest_of(people)
    # A clip of f, in session 4, is one of b, in session 1, too.
    records = change(records, len(people) - 3, content_sha256="content 2")
    with pytest.raises(UsageError) as caught:
        plan_folds(records, (1, 2, 3, 7, 8))
    lines = str(caught.value).splitlines()
    assert lines[1] == "  Fold 2: speaker c has no utterance of class angry."
    assert lines[2].startswith("  Fold 3: session '3' has 1 speaker (e); hold")
    assert lines[3].startswith("  Folds 7, 8 do not exist: the records have 4")
    assert "b_2 (test) = f_10 (training)" in lines[4] or (
        "f_10 (training) = b_2" in lines[4]
    )
    # What to do stands at the end, once.
    assert lines[5].count("--allow_missing_classes") == 1
    assert lines[5].count("sessions of two") == 1
    assert len(lines) == 6


def test_a_leak_is_refused_where_all_folds_are_asked_for(manifest):
    leaking = change(manifest, 11, content_sha256="content 2")
    with pytest.raises(UsageError, match="identical audio"):
        plan_folds(leaking, None)


def _can_be_held_out(people, session, allow):
    """The rule once more, over the bare triples."""
    inside = [(who, label) for where, who, label in people if where == session]
    outside = {label for where, _, label in people if where != session}
    who = {name for name, _ in inside}
    return (
        len(who) == 2 and outside == {0, 1} and (allow or len(set(inside)) == 4)
    )


@pytest.mark.parametrize("allow", [False, True])
def test_all_folds_are_those_that_can_be_tested(allow):
    draw, kinds = random.Random(0), set()
    for _ in range(200):
        people = [
            (str(session), f"{session}{name}", label)
            for session in range(draw.randint(2, 5))
            for name in "xyz"[: draw.choice((1, 2, 2, 2, 2, 3))]
            for label in draw.choice(((0, 1), (0, 1), (0, 1), (0,), (1,)))
        ]
        if len({who for _, who, _ in people}) < 3:
            continue
        names = sorted({where for where, _, _ in people})
        expected = [
            number
            for number, session in enumerate(names, 1)
            if _can_be_held_out(people, session, allow)
        ]
        kinds.add(len(expected) - len(names))
        records = manifest_of(people)
        if not expected:
            with pytest.raises(UsageError):
                plan_folds(records, None, "both", allow)
            continue
        plan = plan_folds(records, None, "both", allow)
        assert [fold.number for fold in plan.folds[::2]] == expected
        # Named one by one, they are the very same.
        assert plan.folds == plan_folds(records, expected, "both", allow).folds
        for number in range(1, len(names) + 1):
            said = any(f"Fold {number}: " in line for line in plan.left_out)
            assert said == (number not in expected)
    assert len(kinds) >= 4
