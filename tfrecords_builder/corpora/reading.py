"""What the corpus readers share: folders, label sets, tables of counts."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import PAPER_EMOTIONS, Utterance, natural_key


def require_folder(path: Path, expected: str) -> None:
    """Checks that a corpus folder is there.

    Args:
      path: the folder.
      expected: what it should hold, for the message.

    Raises:
      UsageError: there is no such folder, or it is a file.
    """
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise UsageError(
            f"The corpus folder {path} {what}. Expected there: {expected}. "
            "Name the folder with --corpus_dir."
        )


def audio_folder(corpus_dir: Path, name: str) -> Path:
    """Where the audio lies: in the folder `name`, or directly in the corpus."""
    folder = corpus_dir / name
    return folder if folder.is_dir() else corpus_dir


def visible_files(folder: Path, suffix: str) -> list[Path]:
    """The folder's own files of one suffix, in natural order.

    Sub-folders are not entered. Names that start with a dot are left out:
    `.DS_Store`, and the `._name` files that macOS leaves beside copies.
    """
    files = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() == suffix
        and not path.name.startswith(".")
        and path.is_file()
    )
    return sorted(files, key=lambda path: natural_key(path.name))


def ordered_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """The paper's emotions in its order, then the others by name."""
    labels = set(labels)
    first = [label for label in PAPER_EMOTIONS if label in labels]
    return (*first, *sorted(labels.difference(PAPER_EMOTIONS)))


def chosen_labels(
    wanted: Sequence[str], known: Collection[str], default: Sequence[str]
) -> tuple[str, ...]:
    """The label set in class order.

    Args:
      wanted: what the user asked for; empty means `default`.
      known: labels that the corpus has.
      default: the corpus' own choice.

    Raises:
      UsageError: a label is unknown or named twice, or there are not two.
    """
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise UsageError(
            f"This corpus has no label {', '.join(map(repr, unknown))}. "
            f"Known: {', '.join(ordered_labels(known))}."
        )
    repeated = [label for label, n in Counter(wanted).items() if n > 1]
    if repeated:
        raise UsageError(f"Label {repeated[0]!r} is asked for twice.")
    chosen = tuple(wanted or default)
    if len(chosen) < 2:
        raise UsageError(
            f"Only the label {', '.join(chosen)} is left: there would be "
            "nothing to tell apart. At least two are needed (--emotions, or "
            "the labels of the corpus)."
        )
    return chosen


def require_utterances(
    utterances: Sequence[Utterance],
    label_names: Sequence[str],
    excluded: dict[str, int],
    expected: str = "",
) -> None:
    """Refuses a listing that has nothing in it.

    Args:
      utterances: that are left.
      label_names: that were asked for.
      excluded: how many were left out, by reason; other labels would change
        those whose reason is `emotion NAME`.
      expected: what a file of the corpus is called and where it lies, for a
        folder that holds something else.

    Raises:
      UsageError: no utterance is left; the message counts what was excluded.
    """
    if utterances:
        return
    counts = ", ".join(f"{n} x {name}" for name, n in excluded.items())
    if expected and not any(map(_is_label, excluded)):
        advice = (
            f"A file of this corpus is called {expected}, seen from "
            "--corpus_dir. Your own recordings come in through "
            "--corpus=manifest."
        )
    else:
        advice = "Choose other labels with --emotions."
    raise UsageError(
        f"No utterance with the labels {', '.join(label_names)} is left. "
        f"Left out: {counts}. {advice}"
    )


def _is_label(reason: str) -> bool:
    """Whether something is left out for its label alone."""
    return reason.startswith("emotion ")


def pair_speakers(
    speakers: Iterable[str],
) -> tuple[dict[str, str], list[str]]:
    """Sessions for a corpus that has none: each two speakers in order.

    Args:
      speakers: names, in any order.

    Returns:
      The session of every speaker, `1` for the first two in natural order,
      and remarks for a person.
    """
    speakers = sorted(speakers, key=natural_key)
    sessions = {
        speaker: str(position // 2 + 1)
        for position, speaker in enumerate(speakers)
    }
    remarks = [
        "The corpus has no sessions: each two speakers in order make one "
        f"({len(set(sessions.values()))} in all)."
    ]
    if len(speakers) % 2:
        remarks.append(
            f"Speaker {speakers[-1]} is alone in session "
            f"{sessions[speakers[-1]]}, which therefore cannot be held out: "
            "a fold needs one speaker to validate and one to test."
        )
    return sessions, remarks


def with_paired_speakers(
    utterances: Iterable[Utterance],
) -> tuple[tuple[Utterance, ...], list[str]]:
    """Utterances of a corpus without sessions, in those of `pair_speakers`.

    Returns:
      The utterances with their sessions, and remarks for a person.
    """
    utterances = tuple(utterances)
    sessions, remarks = pair_speakers({u.speaker for u in utterances})
    return tuple(
        dataclasses.replace(u, session=sessions[u.speaker]) for u in utterances
    ), remarks


def counts_table(
    utterances: Iterable[Utterance], label_names: Sequence[str]
) -> tuple[str, ...]:
    """Lines with the number of utterances per speaker and label."""
    counts = Counter((item.speaker, item.label) for item in utterances)
    speakers = sorted({speaker for speaker, _ in counts}, key=natural_key)
    rows = [
        [counts[speaker, label] for label in label_names]
        for speaker in speakers
    ]
    rows.append([sum(column) for column in zip(*rows, strict=True)])
    return aligned(
        [["speaker", *label_names, "total"]]
        + [
            [name, *row, sum(row)]
            for name, row in zip([*speakers, "all"], rows, strict=True)
        ]
    )


def first_few(names: Sequence[str], number: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - number
    return ", ".join(names[:number]) + (f" and {more} more" * (more > 0))


def aligned(rows: Sequence[Sequence[object]]) -> tuple[str, ...]:
    """Rows as lines: the first column to the left, the others right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return tuple(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [
                cell.rjust(width)
                for cell, width in zip(row[1:], widths[1:], strict=True)
            ]
        )
        for row in texts
    )
