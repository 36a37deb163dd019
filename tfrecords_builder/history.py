"""`history.csv`: the course of a training in numbers, a row an epoch."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import replacing

HISTORY_NAME = "history.csv"


def write_history(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Writes at least one row, all of the same columns; whole or not at all."""
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows that `write_history` wrote; none when there is no file.

    Raises:
      WorkError: when the file has been changed or damaged.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                {name: _number(value) for name, value in row.items()}
                for row in csv.DictReader(file)
            ]
    except (ValueError, TypeError) as error:
        raise WorkError(
            f"{path} has been changed or damaged ({error}). Remove the folder "
            "it is in and run the program that wrote it again."
        ) from error


def _number(text: str) -> float:
    """1 or 1.0, as it was written."""
    number = float(text)
    return int(text) if text.isdigit() else number
