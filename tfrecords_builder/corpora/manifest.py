"""Anybody's audio, listed in a CSV file: path,label,speaker,session.

    path,label,speaker,session
    take1/hello.wav,happy,anna,1
    take2/hello.flac,sad,boris,1

Paths are relative to the CSV file. The session is what a fold holds out; where
it is left out, pairs of speakers become sessions.
"""

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora.reading import (
    chosen_labels,
    counts_table,
    first_few,
    ordered_labels,
    pair_speakers,
    require_utterances,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import CorpusListing, Utterance, natural_key

REQUIRED_COLUMNS = ("path", "label", "speaker")
COLUMNS = (*REQUIRED_COLUMNS, "session")

_FILE_NAME = "manifest.csv"
_HEADER = f"a first line {','.join(COLUMNS)} (session may be left out)"


@dataclass(frozen=True)
class _Row:
    line: int
    path: Path
    label: str
    speaker: str
    session: str


def read_manifest(config: BuildConfig) -> CorpusListing:
    """Lists the rows of a CSV file, in the file's order.

    `config.corpus_dir` is the file, or a folder with `manifest.csv`. The label
    set is `config.emotions` or else every label of the file: the paper's four
    first, the others by name. A row whose audio file is missing is listed; the
    intake counts it as broken.

    Raises:
      UsageError: there is no such file, it is not such a table, a value is
        missing or cannot name a folder, two rows contradict each other, names
        differ in case only, a speaker is in two sessions, there are not two
        labels, or no audio file of it exists.
    """
    csv_path = _find(config.corpus_dir)
    rows, repeated = _without_repeated(csv_path, _read_rows(csv_path))
    _require_some_audio(csv_path, rows)
    labels = {row.label for row in rows}
    _refuse_unsafe_names(csv_path, rows)
    for column in ("label", "speaker", "session"):
        _refuse_case_twins(csv_path, column, rows)
    label_names = chosen_labels(config.emotions, labels, ordered_labels(labels))
    sessions, remarks = _sessions(csv_path, rows)
    ids = _ids(csv_path.parent, rows)
    utterances, excluded = [], Counter()
    if repeated:
        excluded["listed twice"] = repeated
    for row, name in zip(rows, ids, strict=True):
        if row.label not in label_names:
            excluded[f"label {row.label}"] += 1
            continue
        utterances.append(
            Utterance(
                name, row.path, row.label, row.speaker, sessions[row.speaker]
            )
        )
    require_utterances(utterances, label_names, excluded)
    return CorpusListing(
        "manifest",
        tuple(utterances),
        label_names,
        dict(sorted(excluded.items())),
        (*counts_table(utterances, label_names), *remarks),
    )


def _find(path: Path) -> Path:
    csv_path = path / _FILE_NAME if path.is_dir() else path
    if not csv_path.is_file():
        raise UsageError(
            f"There is no file {csv_path}. Name the CSV file, or the folder "
            f"that holds {_FILE_NAME}, with --corpus_dir. Expected in it: "
            f"{_HEADER}, then a row for each audio file."
        )
    return csv_path


def _read_rows(csv_path: Path) -> list[_Row]:
    rows, incomplete = [], []
    try:
        # utf-8-sig: spreadsheets write a byte order mark.
        with csv_path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            _check_header(csv_path, header)
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                if not any(cells):
                    continue
                if len(cells) > len(header):
                    raise UsageError(
                        f"{csv_path}, line {reader.line_num}: {len(cells)} "
                        f"values for {len(header)} columns. A value with a "
                        "comma in it needs quotation marks."
                    )
                values = defaultdict(str, zip(header, cells, strict=False))
                if not all(values[name] for name in REQUIRED_COLUMNS):
                    incomplete.append(str(reader.line_num))
                path = os.path.normpath(csv_path.parent / values["path"])
                rows.append(
                    _Row(
                        reader.line_num,
                        Path(path),
                        values["label"],
                        values["speaker"],
                        values["session"],
                    )
                )
    except UnicodeDecodeError:
        raise UsageError(
            f"{csv_path} is not a text file in UTF-8. Save it as CSV UTF-8."
        ) from None
    except csv.Error as error:
        raise UsageError(
            f"{csv_path}, line {reader.line_num}: not CSV ({error})."
        ) from None
    if incomplete:
        raise UsageError(
            f"{csv_path}: path, label or speaker is empty in line "
            f"{first_few(incomplete)}. Fill it in or take the line out."
        )
    if not rows:
        raise UsageError(f"{csv_path} has a header and no row.")
    return rows


def _check_header(csv_path: Path, header: list[str]) -> None:
    if not any(header):
        raise UsageError(f"{csv_path} is empty. Expected: {_HEADER}.")
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        raise UsageError(
            f"{csv_path} has no column {', '.join(missing)}. Expected: "
            f"{_HEADER}, separated by commas. Found: {','.join(header)[:80]}"
        )
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise UsageError(f"{csv_path} has the column {twice[0]} twice.")


def _without_repeated(
    csv_path: Path, rows: Sequence[_Row]
) -> tuple[list[_Row], int]:
    """The rows without literal repetitions, and how many those were."""
    first = {}
    for row in rows:
        other = first.setdefault(row.path, row)
        if (row.label, row.speaker, row.session) != (
            other.label,
            other.speaker,
            other.session,
        ):
            raise UsageError(
                f"{csv_path}: lines {other.line} and {row.line} contradict "
                f"each other about {row.path}."
            )
    return list(first.values()), len(rows) - len(first)


def _require_some_audio(csv_path: Path, rows: Sequence[_Row]) -> None:
    if not any(row.path.is_file() for row in rows):
        raise UsageError(
            f"None of the {len(rows)} audio files in {csv_path} exists; the "
            f"first is {rows[0].path}. Relative paths start at the CSV file's "
            f"folder, {csv_path.parent.absolute()}."
        )


def _refuse_unsafe_names(csv_path: Path, rows: Sequence[_Row]) -> None:
    # A run keeps each fold in a folder with the name of its test speaker.
    for row in rows:
        for column in ("speaker", "session"):
            name = getattr(row, column)
            if name.startswith(".") or set(name) & set("/\\\0"):
                raise UsageError(
                    f"{csv_path}, line {row.line}: {column} {name!r} cannot "
                    "be part of a folder's name. Leave out / and \\, and do "
                    "not start with a dot."
                )


def _refuse_case_twins(
    csv_path: Path, column: str, rows: Sequence[_Row]
) -> None:
    twins = defaultdict(list)
    for name in sorted({getattr(row, column) for row in rows}):
        twins[name.casefold()].append(name)
    for group in twins.values():
        if len(group) > 1:
            raise UsageError(
                f"{csv_path}: the {column}s {', '.join(group)} differ in case "
                "only. Write them alike, or name them differently."
            )


def _sessions(
    csv_path: Path, rows: Sequence[_Row]
) -> tuple[dict[str, str], list[str]]:
    """Session of every speaker, and remarks."""
    of_speaker = defaultdict(set)
    for row in rows:
        of_speaker[row.speaker].add(row.session)
    if not any(row.session for row in rows):
        return pair_speakers(of_speaker)
    empty = [str(row.line) for row in rows if not row.session]
    if empty:
        raise UsageError(
            f"{csv_path}: some rows have a session and line "
            f"{first_few(empty)} none. Give every row one, or none."
        )
    for speaker, sessions in of_speaker.items():
        if len(sessions) > 1:
            raise UsageError(
                f"{csv_path}: speaker {speaker} is in the sessions "
                f"{', '.join(sorted(sessions, key=natural_key))}. A fold "
                "holds a session out, so a speaker belongs to one; if these "
                "are different people, name them differently."
            )
    return {name: min(found) for name, found in of_speaker.items()}, []


def _ids(folder: Path, rows: Sequence[_Row]) -> list[str]:
    """Paths without suffix, relative to the CSV file."""
    paths = [PurePath(os.path.relpath(row.path, folder)) for row in rows]
    short = [path.with_suffix("").as_posix() for path in paths]
    counts = Counter(short)
    # Two files that differ in the suffix only keep it.
    names = [
        path.as_posix() if counts[name] > 1 else name
        for path, name in zip(paths, short, strict=True)
    ]
    if len(set(names)) < len(names):
        names = [path.as_posix() for path in paths]
    return names
