"""Folds: who trains, who validates, who tests. Pure Python.

fold k    sessions other than the k-th: training
          the k-th session's two speakers: one validates, one tests
"""

from collections import defaultdict
from dataclasses import dataclass

from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest
from tfrecords_builder.utterance import natural_key

TEST_SPEAKERS = ("both", "first", "second")
_NAMES_SHOWN = 10


@dataclass(frozen=True)
class Fold:
    """One test: a fold in one direction.

    Attributes:
      number: 1 for the first session in natural order.
      session: the session held out.
      training_speakers: all speakers of the other sessions.
      validation_speaker: the held-out session's one speaker.
      test_speaker: its other one.
      training: positions in `RecordsManifest.entries`, ascending.
      validation: likewise.
      test: likewise.
    """

    number: int
    session: str
    training_speakers: tuple[str, ...]
    validation_speaker: str
    test_speaker: str
    training: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def make_folds(
    manifest: RecordsManifest,
    number: int,
    test_speaker: str = "both",
    allow_missing_classes: bool = False,
) -> list[Fold]:
    """Fold `number`: one `Fold` for each direction asked for.

    The paper does not say which of a session's two speakers tests (section
    4.1 names a validation and a test speaker only); by default both do, in
    turn.

    Args:
      manifest: the records.
      number: the fold, from 1; fold k holds out the k-th session.
      test_speaker: `first` tests the session's first speaker in natural order
        and validates on the second, `second` the other way round.
      allow_missing_classes: accept a validation or test speaker without any
        utterance of some class.

    Raises:
      UsageError: when the fold does not exist or its session does not have
        two speakers; when a speaker or identical audio is on two sides; when
        a split has no utterance of a class.
    """
    if test_speaker not in TEST_SPEAKERS:
        raise ValueError(
            f"test_speaker must be one of {TEST_SPEAKERS}. "
            f"Received: {test_speaker!r}"
        )
    speakers = _speakers_by_session(manifest)
    _check_number(number, speakers)
    session = list(speakers)[number - 1]
    first, second = _two_speakers(session, speakers)
    directions = {"first": (first, second), "second": (second, first)}
    wanted = directions if test_speaker == "both" else (test_speaker,)
    folds = [
        _fold(manifest, number, session, *directions[key]) for key in wanted
    ]
    for fold in folds:
        check_leaks(manifest, fold)
        _check_classes(manifest, fold, allow_missing_classes)
    return folds


def check_leaks(manifest: RecordsManifest, fold: Fold):
    """Refuses a fold that has a speaker or identical audio on two sides.

    Raises:
      UsageError: naming speakers or utterances.
    """
    speaker_sides, audio_sides = defaultdict(set), defaultdict(set)
    owners = defaultdict(list)
    for side, indices in _sides(fold).items():
        for index in indices:
            entry = manifest.entries[index]
            speaker_sides[entry.speaker].add(side)
            audio_sides[entry.content_sha256].add(side)
            owners[entry.content_sha256].append(f"{entry.id} ({side})")
    shared = sorted(
        (s for s, sides in speaker_sides.items() if len(sides) > 1),
        key=natural_key,
    )
    if shared:
        ids = [
            f"{entry.id} ({side})"
            for side, indices in _sides(fold).items()
            for entry in (manifest.entries[index] for index in indices)
            if entry.speaker in shared
        ]
        raise UsageError(
            f"Fold {fold.number} would leak: speaker {', '.join(shared)} is "
            f"on two sides, through {_names(ids)}. A speaker belongs to one "
            "session; correct the sessions and build the records again."
        )
    same = [
        " = ".join(owners[content])
        for content, sides in audio_sides.items()
        if len(sides) > 1
    ]
    if same:
        raise UsageError(
            f"Fold {fold.number} would leak: identical audio is on two sides: "
            f"{_names(same)}. Take one of each out of the corpus and build "
            "the records again."
        )


def missing_classes(
    manifest: RecordsManifest, fold: Fold
) -> dict[str, list[str]]:
    """Classes without an utterance, by side.

    Returns:
      Names for each of `training`, `validation` and `test`.
    """
    missing = {}
    for side, indices in _sides(fold).items():
        present = {manifest.entries[index].label for index in indices}
        missing[side] = [
            name
            for label, name in enumerate(manifest.label_names)
            if label not in present
        ]
    return missing


def _fold(
    manifest: RecordsManifest, number: int, session: str, test: str, held: str
) -> Fold:
    """The fold that tests `test` and validates on `held`."""
    sides = {"training": [], "validation": [], "test": []}
    for index, entry in enumerate(manifest.entries):
        if entry.session != session:
            sides["training"].append(index)
        else:
            side = "test" if entry.speaker == test else "validation"
            sides[side].append(index)
    training = {manifest.entries[i].speaker for i in sides["training"]}
    return Fold(
        number=number,
        session=session,
        training_speakers=tuple(sorted(training, key=natural_key)),
        validation_speaker=held,
        test_speaker=test,
        **{side: tuple(indices) for side, indices in sides.items()},
    )


def _speakers_by_session(
    manifest: RecordsManifest,
) -> dict[str, tuple[str, ...]]:
    """Sessions and, in each, speakers, all in natural order."""
    speakers = defaultdict(set)
    for entry in manifest.entries:
        speakers[entry.session].add(entry.speaker)
    return {
        session: tuple(sorted(speakers[session], key=natural_key))
        for session in sorted(speakers, key=natural_key)
    }


def _check_number(number: int, speakers: dict[str, tuple[str, ...]]):
    everybody = set().union(*speakers.values())
    if len(everybody) < 3:
        raise UsageError(
            f"The records hold {len(everybody)} speaker(s): "
            f"{', '.join(sorted(everybody, key=natural_key))}. A fold needs "
            "at least three: one to test, one to validate, others to train. "
            "Record more people, or predict with a model trained elsewhere."
        )
    if len(speakers) < 2:
        raise UsageError(
            f"All speakers are in session {next(iter(speakers))!r}: nobody is "
            "left to train when it is held out. Put pairs of speakers into "
            "sessions and build the records again."
        )
    if not 1 <= number <= len(speakers):
        raise UsageError(
            f"Fold {number} does not exist: the records have {len(speakers)} "
            f"sessions. There are: {_describe(speakers)}. All that can be "
            f"held out: --folds={_possible(speakers)}"
        )


def _two_speakers(
    session: str, speakers: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    people = speakers[session]
    if len(people) != 2:
        possible = _possible(speakers)
        others = f" The others can be: --folds={possible}." if possible else ""
        raise UsageError(
            f"Session {session!r} has {len(people)} speaker(s): "
            f"{', '.join(people)}. Holding it out takes exactly two, one to "
            f"validate and one to test.{others} Or put the speakers into "
            "sessions of two (any pairs will do; --corpus=manifest has a "
            "column for it) and build the records again."
        )
    return people


def _possible(speakers: dict[str, tuple[str, ...]]) -> str:
    """Numbers of the folds that can be held out, as --folds has them."""
    return ",".join(
        str(number)
        for number, people in enumerate(speakers.values(), 1)
        if len(people) == 2
    )


def _check_classes(
    manifest: RecordsManifest, fold: Fold, allow_missing_classes: bool
):
    for side, missing in missing_classes(manifest, fold).items():
        if not missing or (allow_missing_classes and side != "training"):
            continue
        who = {
            "training": f"speakers {', '.join(fold.training_speakers)}",
            "validation": f"speaker {fold.validation_speaker}",
            "test": f"speaker {fold.test_speaker}",
        }[side]
        help_ = (
            ""
            if side == "training"
            else ", or give --allow_missing_classes to do without"
        )
        raise UsageError(
            f"Fold {fold.number}: no utterance of class {', '.join(missing)} "
            f"in the {side} split ({who}). Leave the class out of the records "
            f"(--emotions of tfrecords_builder.build), add audio{help_}."
        )


def _sides(fold: Fold) -> dict[str, tuple[int, ...]]:
    return {
        "training": fold.training,
        "validation": fold.validation,
        "test": fold.test,
    }


def _describe(speakers: dict[str, tuple[str, ...]]) -> str:
    return _names(
        [
            f"fold {number} holds out session {session} "
            f"(speakers {', '.join(people)})"
            for number, (session, people) in enumerate(speakers.items(), 1)
        ]
    )


def _names(names: list[str]) -> str:
    shown = "; ".join(names[:_NAMES_SHOWN])
    rest = len(names) - _NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
