"""Files that are there whole or not at all."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrecords_builder.errors import UsageError, WorkError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path; what is written there becomes `path`.

    The file gets its name only after it has reached the disk, in one step.
    When the body fails, `path` is left as it was.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def prepare_output(path: Path, flag: str) -> None:
    """Makes the folder that a result will go into, before it is computed.

    Args:
      path: the file to be.
      flag: that named it, with its dashes.

    Raises:
      UsageError: when the file cannot be written there.
    """
    if path.is_dir():
        raise UsageError(f"{flag}={path} is a folder; name a file.")
    folder = path.parent
    another = "Name a file in another folder."
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{flag}={path}: {folder} is no folder. {another}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{flag}={path}: the folder {folder} cannot be made "
            f"({error.strerror}). {another}"
        ) from None
    if not os.access(folder, os.W_OK):
        raise UsageError(
            f"{flag}={path}: the folder {folder} may not be written to. "
            f"{another}"
        )


def write_json(path: Path, value: Any):
    """Writes JSON for people and programs, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(value, indent=1, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )


def read_json(path: Path) -> dict[str, Any]:
    """Reads an object that `write_json` wrote.

    Raises:
      WorkError: when the file is damaged.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WorkError(
            f"{path} is damaged: it is not JSON ({error}). Remove it, or the "
            "folder it is in, and run the program that wrote it again."
        ) from error
    if not isinstance(value, dict):
        raise WorkError(f"{path} is damaged: it holds no JSON object.")
    return value


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
