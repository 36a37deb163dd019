"""Sets of options that a benchmark compares: their lines, folders and flags."""

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import flags
from absl.testing import flagsaver

from tfrecords_builder.errors import UsageError


def read_sets(path: Path | None, default: str) -> str:
    """Text of a file of sets; the default where no file is named.

    Raises:
      UsageError: when the file cannot be read.
    """
    if path is None:
        return default
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--sets={path} cannot be read: {error}") from error


def parse_sets(text: str) -> dict[str, list[str]]:
    """`name: flags`, a line each; empty lines and `#` lines do not count.

    Raises:
      UsageError: for a line that is no set, two sets of one folder, or no set.
    """
    sets = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, options = line.partition(":")
        name = name.strip()
        taken = map(folder_name, sets)
        if not colon or not name or "/" in name or folder_name(name) in taken:
            raise UsageError(
                "A set of options is a line `name: flags`, each name once (a "
                "space is as good as an underscore) and without a slash. "
                f"Received: {line!r}"
            )
        try:
            sets[name] = shlex.split(options)
        except ValueError as error:
            raise UsageError(
                f"A set of options is not closed ({error}). Received: {line!r}"
            ) from error
    if not sets:
        raise UsageError("There is no set of options to compare.")
    return sets


def folder_name(name: str) -> str:
    """The folder that takes a set's results."""
    return name.replace(" ", "_")


def numbers(text: str) -> tuple[int, ...]:
    """Of `1,2,3`, each once.

    Raises:
      ValueError: for what is no number; argparse makes it a sentence.
    """
    return tuple(dict.fromkeys(int(part) for part in text.split(",")))


@contextlib.contextmanager
def flags_given(options: Sequence[str]) -> Iterator[None]:
    """Inside, flags are as if a program had been started with these.

    Raises:
      UsageError: for a flag that does not exist or a value it cannot have.
    """
    with flagsaver.flagsaver():
        try:
            rest = flags.FLAGS(["options", *options])[1:]
        except flags.Error as error:
            raise UsageError(f"{shlex.join(options)}: {error}") from error
        if rest:
            raise UsageError(f"{shlex.join(options)}: what is {rest[0]!r}?")
        yield


def refuse_seed() -> None:
    """Refuses --seed, which would make all seeds alike.

    Raises:
      UsageError: when it was given.
    """
    if flags.FLAGS["seed"].present:
        raise UsageError(
            "Every set has the same seeds: give --seeds=0,1,2. Leave --seed "
            "out."
        )
