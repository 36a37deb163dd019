"""Folds: who trains, who validates, who tests. Pure Python.

fold k    sessions other than the k-th: training
          the k-th session's two speakers: one validates, one tests
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest
from tfrecords_builder.sessions import NAMES_SHOWN, Sessions, shortened
from tfrecords_builder.utterance import natural_key

TEST_SPEAKERS = ("both", "first", "second")


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


@dataclass(frozen=True)
class FoldPlan:
    """Folds that can be tested.

    Attributes:
      folds: one for each direction, in the order of the numbers.
      left_out: where all were asked for, why others are not among them: a
        sentence each.
    """

    folds: tuple[Fold, ...]
    left_out: tuple[str, ...]


def make_folds(
    manifest: RecordsManifest,
    number: int,
    test_speaker: str = "both",
    allow_missing_classes: bool = False,
) -> list[Fold]:
    """Fold `number` alone; see `plan_folds`."""
    plan = plan_folds(manifest, (number,), test_speaker, allow_missing_classes)
    return list(plan.folds)


def plan_folds(
    manifest: RecordsManifest,
    numbers: Sequence[int] | None,
    test_speaker: str = "both",
    allow_missing_classes: bool = False,
) -> FoldPlan:
    """The folds asked for: one `Fold` for each direction.

    The paper does not say which of a session's two speakers tests (section
    4.1 names a validation and a test speaker only); by default both do, in
    turn.

    Args:
      manifest: the records.
      numbers: the folds, from 1; fold k holds out the k-th session. None for
        all that can be held out. A leak is refused there too: the records are
        wrong.
      test_speaker: `first` tests the session's first speaker in natural order
        and validates on the second, `second` the other way round.
      allow_missing_classes: accept a validation or test speaker without any
        utterance of some class.

    Raises:
      UsageError: when a fold does not exist or its session does not have two
        speakers; when a speaker or identical audio is on two sides; when a
        split has no utterance of a class. All that is wrong with any of the
        folds is in the message.
    """
    if test_speaker not in TEST_SPEAKERS:
        raise ValueError(
            f"test_speaker must be one of {TEST_SPEAKERS}. "
            f"Received: {test_speaker!r}"
        )
    sessions = Sessions(manifest.entries, manifest.label_names)
    if sessions.obstacle:
        raise UsageError(sessions.obstacle)
    existing = range(1, len(sessions.speakers) + 1)
    wanted = existing if numbers is None else numbers
    folds, reasons, remedies, leaks = [], [], {}, []
    for number in wanted:
        if number not in existing:
            continue
        found = sessions.obstacles(number, allow_missing_classes)
        reasons += [f"Fold {number}: {each.reason}." for each in found]
        remedies |= dict.fromkeys(each.remedy for each in found)
        if not found:
            fold = _directions(manifest, number, sessions, test_speaker)
            # The other direction has the same people and clips.
            leaks += find_leaks(manifest, fold[0])
            folds += fold
    if numbers is None and folds and not leaks:
        return FoldPlan(tuple(folds), tuple(reasons))
    absent = [str(number) for number in wanted if number not in existing]
    if absent:
        reasons.append(_absence(absent, sessions))
    if reasons or leaks:
        possible = sessions.possible(allow_missing_classes)
        if possible and not leaks:
            remedies[
                f"Folds that can be tested: {', '.join(map(str, possible))} "
                "(--folds=all)."
            ] = None
        raise UsageError(_refusal([*reasons, *leaks], list(remedies)))
    return FoldPlan(tuple(folds), ())


def find_leaks(manifest: RecordsManifest, fold: Fold) -> list[str]:
    """What a fold would leak: a speaker or identical audio on two sides.

    Returns:
      Sentences that name speakers and utterances; none for a sound fold.
    """
    speaker_sides, audio_sides = defaultdict(set), defaultdict(set)
    owners = defaultdict(list)
    for side, indices in _sides(fold).items():
        for index in indices:
            entry = manifest.entries[index]
            speaker_sides[entry.speaker].add(side)
            audio_sides[entry.content_sha256].add(side)
            owners[entry.content_sha256].append(f"{entry.id} ({side})")
    leaks = []
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
        leaks.append(
            f"Fold {fold.number} would leak: speaker {', '.join(shared)} is "
            f"on two sides, through {shortened(ids)}. A speaker belongs to one "
            "session; correct the sessions and build the records again."
        )
    same = [
        " = ".join(owners[content])
        for content, sides in audio_sides.items()
        if len(sides) > 1
    ]
    if same:
        leaks.append(
            f"Fold {fold.number} would leak: identical audio is on two sides: "
            f"{shortened(same)}. Take one of each out of the corpus and build "
            "the records again."
        )
    return leaks


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


def _directions(
    manifest: RecordsManifest,
    number: int,
    sessions: Sessions,
    test_speaker: str,
) -> list[Fold]:
    session = list(sessions.speakers)[number - 1]
    first, second = sessions.speakers[session]
    directions = {"first": (first, second), "second": (second, first)}
    wanted = directions if test_speaker == "both" else (test_speaker,)
    return [
        _fold(manifest, number, session, *directions[key]) for key in wanted
    ]


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


def _absence(numbers: list[str], sessions: Sessions) -> str:
    several = len(numbers) > 1
    described = [
        f"fold {number} holds out session {session} "
        f"(speakers {', '.join(people)})"
        for number, (session, people) in enumerate(sessions.speakers.items(), 1)
    ]
    return (
        f"Fold{'s' * several} {', '.join(numbers)} "
        f"{'do' if several else 'does'} not exist: the records have "
        f"{len(sessions.speakers)} sessions. There are: "
        f"{shortened(described)}."
    )


def _refusal(reasons: list[str], remedies: list[str]) -> str:
    """One message of sentences; several reasons on a line each."""
    if len(reasons) == 1:
        return " ".join([*reasons, *remedies])
    rest = len(reasons) - NAMES_SHOWN
    lines = reasons[:NAMES_SHOWN] + [f"and {rest} more"] * (rest > 0)
    return "\n".join(
        ["Not all of that can be tested.", *(f"  {line}" for line in lines)]
        + [" ".join(remedies)] * bool(remedies)
    )


def _sides(fold: Fold) -> dict[str, tuple[int, ...]]:
    return {
        "training": fold.training,
        "validation": fold.validation,
        "test": fold.test,
    }
