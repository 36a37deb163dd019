"""Files of a run that a report shows, read with care: people edit them."""

import csv
from pathlib import Path

from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import read_json

# Of files without which a report fails.
_REMEDIES = {
    "predictions.csv": "Delete it and evaluate again, by `python -m "
    "emotion_nas_tf.evaluate` with the run's --records_dir, --run_dir and "
    "--fold."
}


def damaged(path: Path, reason: object) -> UsageError:
    """What to raise for a file that cannot be read."""
    remedy = _REMEDIES.get(path.name, "Delete it; the report does without.")
    return UsageError(f"{path} is damaged ({reason}). {remedy}")


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a `history.csv`; none without one.

    Raises:
      UsageError: when it is no such file.
    """
    try:
        rows = [
            {name: float(text) for name, text in row.items() if text}
            for row in read_rows(path)
        ]
    # Spreadsheets write other separators and decimal commas.
    except (ValueError, TypeError) as error:
        raise damaged(path, error) from None
    if any("epoch" not in row for row in rows):
        raise damaged(path, "no column epoch")
    return rows


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, by column; none without the file.

    Raises:
      UsageError: when it is no CSV file.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise damaged(path, error) from None


def noted_settings(folder: Path) -> dict:
    """What a `config.json` says a network was made with.

    Nothing without one, or where it is several runs' networks together.
    """
    noted = read_values(folder / "config.json")
    return {} if noted.get("program") == "ensemble" else noted


def read_values(path: Path) -> dict:
    """A JSON file's values by name; none of a missing or damaged one."""
    try:
        content = read_json(path)
    except (FileNotFoundError, UsageError, WorkError):
        return {}
    return content if isinstance(content, dict) else {}
