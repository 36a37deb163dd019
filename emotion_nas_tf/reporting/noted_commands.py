"""The commands that make a run anew, from the settings noted in its folders.

    fold_1/test_03/spectrogram/config.json             search
    fold_1/test_03/spectrogram/retrained/config.json   train
    fold_1/test_03/fusion/fusion/network.json          fuse
    fold_1/test_03/metrics.json                        evaluate

One command a program and stream, for all tests of the same settings. Pure
Python.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from emotion_nas_tf.reporting.noted_flags import NotedFlags
from emotion_nas_tf.reporting.noted_work import (
    PROGRAMS,
    Cells,
    Work,
    works_of,
)
from emotion_nas_tf.reporting.reading import read_values
from emotion_nas_tf.run_directory import FoldDirectory
from tfrecords_builder.records import RecordsManifest
from tfrecords_builder.utterance import natural_key


@dataclass(frozen=True)
class Repetition:
    """How to make a run anew.

    Attributes:
      commands: command lines, in order.
      notes: what no command does and why, for people.
      lacking: settings that an earlier release did not have: the same folder
        refuses them.
    """

    commands: tuple[str, ...]
    notes: tuple[str, ...]
    lacking: tuple[str, ...]


def noted_commands(
    tests: Sequence[FoldDirectory],
    place: Sequence[str],
    manifest: RecordsManifest | None = None,
    programs: Sequence[str] = PROGRAMS,
) -> Repetition:
    """Commands for what the tests' folders note.

    Args:
      tests: of one run.
      place: --records_dir and --run_dir, as on a command line.
      manifest: of the run's records, where they are at hand.
      programs: whose commands are wanted.
    """
    of_work: dict[Work, list[FoldDirectory]] = {}
    cells: Cells = {}
    for test in tests:
        for work in works_of(test, cells):
            if work.program in programs:
                of_work.setdefault(work, []).append(test)
    commands, notes, lacking = [], _differences(of_work), NotedFlags()
    # Settings may differ between tests: programs one after the other.
    for work in sorted(of_work, key=lambda w: PROGRAMS.index(w.program)):
        names = ", ".join(
            f"fold {t.fold} speaker {t.test_speaker}" for t in of_work[work]
        )
        if work.flags.hindrances:
            notes.append(
                f"No command makes {work.title} ({names}): "
                f"{'; '.join(work.flags.hindrances)}, and no flag says so."
            )
            continue
        lacking += NotedFlags(lacking=work.flags.lacking)
        for folds in _folds(of_work[work], manifest):
            if folds is None:
                notes.append(
                    f"Not noted for {work.title} ({names}): which of the "
                    "session's speakers validates."
                )
                continue
            words = (*place, *folds, *work.flags.words)
            commands.append(shlex.join(["python", "-m", work.program, *words]))
    return Repetition(tuple(commands), tuple(notes), lacking.lacking)


def _differences(of_work: Mapping[Work, Sequence[FoldDirectory]]) -> list[str]:
    """A sentence for each program that did not do the same for all tests."""
    parts: dict[tuple[str, str], list[set[FoldDirectory]]] = {}
    for work, tests in of_work.items():
        parts.setdefault((work.program, work.stream), []).append(set(tests))
    return [
        f"Tests differ in what {' of the stream '.join(filter(None, part))} "
        "was asked: a command for each kind."
        for part, found in parts.items()
        if any(tests != set.union(*found) for tests in found)
    ]


def _folds(
    tests: Sequence[FoldDirectory], manifest: RecordsManifest | None
) -> Iterator[tuple[str, ...] | None]:
    """--folds, --test_speaker and what else says which tests these are.

    Yields:
      The flags of a command; None for tests whose direction is not known.
    """
    speakers: dict[int, list[FoldDirectory]] = {}
    for test in tests:
        speakers.setdefault(test.fold, []).append(test)
    of_direction: dict[str | None, list[list[FoldDirectory]]] = {}
    for found in speakers.values():
        both = len(found) > 1
        direction = "both" if both else _direction(found[0], manifest)
        of_direction.setdefault(direction, []).append(found)
    for direction, found in of_direction.items():
        if direction is None:
            yield None
            continue
        words = [f"--folds={','.join(str(each[0].fold) for each in found)}"]
        if direction != "both":
            words.append(f"--test_speaker={direction}")
        if any(_lacks_a_class(t, manifest) for each in found for t in each):
            words.append("--allow_missing_classes")
        yield tuple(words)


def _direction(
    test: FoldDirectory, manifest: RecordsManifest | None
) -> str | None:
    """Which of the session's speakers, in natural order, tests."""
    people = _people(test, manifest)
    if len(people) < 2:
        return None
    first = min(people, key=natural_key)
    return "first" if test.test_speaker == first else "second"


def _people(test: FoldDirectory, manifest: RecordsManifest | None) -> set[str]:
    """The speakers of the session held out, as far as they are known."""
    people = {test.test_speaker}
    if validation := read_values(test.metrics).get("validation_speaker"):
        people.add(validation)
    elif manifest is not None:
        sessions = {
            e.session
            for e in manifest.entries
            if e.speaker == test.test_speaker
        }
        people |= {e.speaker for e in manifest.entries if e.session in sessions}
    return people


def _lacks_a_class(
    test: FoldDirectory, manifest: RecordsManifest | None
) -> bool:
    """Whether a speaker of the session held out never shows some class."""
    if manifest is not None:
        counts = manifest.counts()
        people = _people(test, manifest) & counts.keys()
        return any(not all(counts[person].values()) for person in people)
    systems = read_values(test.metrics).get("systems", {})
    return any(None in s.get("recalls", {}).values() for s in systems.values())
