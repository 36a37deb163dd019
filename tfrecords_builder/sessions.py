"""Sessions: which of them can be held out, and what stands in the way.

Holding out takes two speakers, one to validate and one to test, who both say
every class, and others who train on every class. Pure Python.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfrecords_builder.records import RecordEntry
from tfrecords_builder.utterance import natural_key

NAMES_SHOWN = 10

_OTHER_CLASSES = (
    "Leave the class out of the records (--emotions of "
    "tfrecords_builder.build){} add audio"
)
_PAIRS = (
    "Put the speakers into sessions of two (any pairs will do; "
    "--corpus=manifest has a column for it) and build the records again."
)


@dataclass(frozen=True)
class Obstacle:
    """Why a session cannot be held out.

    Attributes:
      reason: a clause, e.g. `speaker 03 has no utterance of class sad`.
      remedy: a sentence with what a user can do, the same for all reasons of a
        kind.
    """

    reason: str
    remedy: str


class Sessions:
    """Who is in which session and says what.

    Attributes:
      speakers: of each session, both in natural order; fold k holds out the
        k-th.
    """

    def __init__(
        self, entries: Iterable[RecordEntry], label_names: Sequence[str]
    ):
        self._label_names = tuple(label_names)
        self._labels = defaultdict(set)
        for entry in entries:
            self._labels[entry.session, entry.speaker].add(entry.label)
        speakers = defaultdict(list)
        for session, speaker in sorted(
            self._labels, key=lambda pair: tuple(map(natural_key, pair))
        ):
            speakers[session].append(speaker)
        self.speakers = {name: tuple(who) for name, who in speakers.items()}

    @property
    def obstacle(self) -> str:
        """Why no session at all can be held out; empty if some may."""
        everybody = {speaker for _, speaker in self._labels}
        if len(everybody) < 3:
            return (
                f"The records hold {_count(everybody, 'speaker')}. A fold "
                "needs at least three: one to test, one to validate, others "
                "to train. Record more people, or predict with a model "
                "trained elsewhere."
            )
        if len(self.speakers) < 2:
            return (
                f"All speakers are in session {next(iter(self.speakers))!r}: "
                "nobody is left to train when it is held out. Put pairs of "
                "speakers into sessions and build the records again."
            )
        return ""

    def obstacles(
        self, number: int, allow_missing_classes: bool = False
    ) -> list[Obstacle]:
        """What keeps a session from being held out; empty when it can be.

        Args:
          number: of the session, from 1.
          allow_missing_classes: whether its speakers may lack a class.
        """
        session = list(self.speakers)[number - 1]
        people = self.speakers[session]
        found = []
        if len(people) != 2:
            found.append(
                Obstacle(
                    f"session {session!r} has {_count(people, 'speaker')}; "
                    "holding it out takes exactly two, one to validate and "
                    "one to test",
                    _PAIRS,
                )
            )
        elif not allow_missing_classes:
            found += [
                Obstacle(
                    f"speaker {speaker} has no utterance of class "
                    f"{', '.join(missing)}",
                    f"{_OTHER_CLASSES.format(',')}, or give "
                    "--allow_missing_classes to do without.",
                )
                for speaker in people
                if (missing := self.missing_classes(session, speaker))
            ]
        heard = set()
        for (name, _), labels in self._labels.items():
            if name != session:
                heard |= labels
        if unheard := self._without(heard):
            found.append(
                Obstacle(
                    f"there is no utterance of class {', '.join(unheard)} to "
                    f"train on outside session {session!r}",
                    f"{_OTHER_CLASSES.format(' or')}.",
                )
            )
        return found

    def missing_classes(self, session: str, speaker: str) -> tuple[str, ...]:
        """Names of the classes of which a speaker has no utterance."""
        return self._without(self._labels[session, speaker])

    def possible(self, allow_missing_classes: bool = False) -> list[int]:
        """Numbers of the sessions that can be held out."""
        if self.obstacle:
            return []
        return [
            number
            for number in range(1, len(self.speakers) + 1)
            if not self.obstacles(number, allow_missing_classes)
        ]

    def _without(self, labels: set[int]) -> tuple[str, ...]:
        return tuple(
            name
            for label, name in enumerate(self._label_names)
            if label not in labels
        )


def what_is_missing(sessions: Sessions) -> list[str]:
    """What a person who built records should know about their folds.

    Returns:
      Sentences: that no fold can be tested, or which cannot; and which speakers
      have no utterances of which class. None where every session can be held
      out as it is.
    """
    possible = sessions.possible(allow_missing_classes=True)
    if not possible:
        lines = [f"No fold can be tested: {_why_none(sessions)}"]
    else:
        lines = [
            f"Fold {number} cannot be tested: {obstacle.reason}."
            for number in range(1, len(sessions.speakers) + 1)
            for obstacle in sessions.obstacles(number, True)
        ]
    lacking = []
    for number, (session, people) in enumerate(sessions.speakers.items(), 1):
        consequence = (
            f": fold {number} needs --allow_missing_classes"
            if number in possible
            else ""
        )
        lacking += [
            f"Speaker {speaker} has no utterances of {', '.join(missing)}"
            f"{consequence}."
            for speaker in people
            if (missing := sessions.missing_classes(session, speaker))
        ]
    if len(lacking) > NAMES_SHOWN:
        more = len(lacking) - NAMES_SHOWN
        lacking[NAMES_SHOWN:] = [
            f"{more} more speakers have no utterances of some class."
        ]
    return lines + lacking


def _why_none(sessions: Sessions) -> str:
    if sessions.obstacle:
        reason = sessions.obstacle
        return reason[0].lower() + reason[1:]
    obstacles = [
        obstacle
        for number in range(1, len(sessions.speakers) + 1)
        for obstacle in sessions.obstacles(number, True)
    ]
    return (
        f"{shortened([each.reason for each in obstacles])}. "
        f"{' '.join(dict.fromkeys(each.remedy for each in obstacles))}"
    )


def shortened(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    shown = "; ".join(names[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def _count(names: Iterable[str], noun: str) -> str:
    """E.g. `2 speakers (a, b)`."""
    names = sorted(names, key=natural_key)
    shown = ", ".join(names[:NAMES_SHOWN])
    more = f" and {len(names) - NAMES_SHOWN} more"
    return (
        f"{len(names)} {noun}{'s' * (len(names) != 1)} "
        f"({shown}{more * (len(names) > NAMES_SHOWN)})"
    )
