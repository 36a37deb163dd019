"""Which recordings are meant: files, folders and lists of paths.

Pure: no TensorFlow.
"""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import natural_key

# What is taken from a folder. A file named by itself may have any ending.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".mp3", ".opus", ".aif", ".aiff", ".au"),
    *(".m4a", ".aac", ".mp4", ".wma", ".webm", ".w64", ".caf"),
)
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Recording:
    """One file to be heard.

    Attributes:
      name: as the user has it: on the command line, or in a list.
      path: where it is.
    """

    name: str
    path: Path


def find_recordings(arguments: Sequence[str]) -> list[Recording]:
    """The recordings of a command line, each once, in its order.

    A folder stands for the audio files in it and in its folders, in natural
    order; names that start with a dot are left out. A file `.csv` stands for
    the paths in its column `path`, relative to it. Anything else is a
    recording. One of a list may not exist: that is its own row's error.

    Raises:
      UsageError: for an argument that does not exist, a folder or list without
        recordings, a list that cannot be read, or two files of one name.
    """
    missing = [name for name in arguments if not os.path.lexists(name)]
    if missing:
        raise UsageError(
            f"There is no file or folder {', '.join(missing[:_NAMES_SHOWN])}"
            + (f" ({len(missing)} in all)" * (len(missing) > _NAMES_SHOWN))
            + ". Name audio files, folders or CSV files with a column `path`."
        )
    found: dict[str, Recording] = {}
    for argument in arguments:
        for recording in _expand(argument):
            known = found.setdefault(recording.name, recording)
            if _absolute(known.path) != _absolute(recording.path):
                raise UsageError(
                    f"Two files are called {recording.name}: {known.path} and "
                    f"{recording.path}. Predict them one after the other, "
                    "with an --output each."
                )
    return list(found.values())


def _expand(argument: str) -> Iterable[Recording]:
    path = Path(argument)
    if path.is_dir():
        return _in_folder(path)
    if path.suffix.lower() == ".csv":
        return _in_list(path)
    return [Recording(argument, path)]


def _in_folder(folder: Path) -> list[Recording]:
    paths = sorted(_walk(folder), key=lambda path: natural_key(str(path)))
    if not paths:
        raise UsageError(
            f"There is no audio in the folder {folder}: no file in it or in "
            f"its folders ends in {', '.join(AUDIO_SUFFIXES)}."
        )
    return [Recording(str(path), path) for path in paths]


def _walk(folder: Path) -> Iterator[Path]:
    # A link to a folder is followed no further: it may lead back here.
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(
                AUDIO_SUFFIXES
            ):
                yield Path(parent, name)


def _in_list(path: Path) -> list[Recording]:
    if not path.is_file():
        raise UsageError(f"There is no list {path}.")
    try:
        # utf-8-sig: spreadsheets write a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            if names.count("path") > 1:
                raise UsageError(
                    f"{path} has {names.count('path')} columns `path`: which "
                    "of them names the recordings? Rename the others. Found: "
                    f"{', '.join(names)}."
                )
            if "path" not in names:
                raise UsageError(
                    f"{path} has no column `path`: its first line must name "
                    f"the columns. Found: {', '.join(names) or 'nothing'}."
                )
            reader.fieldnames = names
            listed = [(row["path"] or "").strip() for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV file in UTF-8 ({error}).") from None
    recordings = [
        Recording(name, path.parent / name) for name in listed if name
    ]
    if not recordings:
        raise UsageError(f"The list {path} names no recording.")
    return recordings


def _absolute(path: Path) -> str:
    return os.path.abspath(path)
