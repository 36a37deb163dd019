"""The ledger of a candidate search: every evaluation, as it finishes.

    candidates.jsonl    an evaluation a line, in the order of finishing
    candidates.csv      a candidate a line, best first; for people

JSON lines, because a line can be appended in one write that a kill leaves
whole or recognisably cut, because a recipe is JSON itself, and because the
file reads without a program. The CSV file is made from it. Pure Python.
"""

import csv
import dataclasses
import fcntl
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_nas_tf.recurrent.recipe import Recipe
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

LEDGER_NAME = "candidates.jsonl"
TABLE_NAME = "candidates.csv"

OK, DIVERGED, FAILED = "ok", "diverged", "failed"


@dataclass(frozen=True)
class Evaluation:
    """One candidate, measured at the end of one rung.

    Attributes:
      digest: of the candidate.
      name: of the candidate, for people.
      recipe: its mapping as JSON has it.
      rung: from 0.
      epochs: it has been trained for, in all.
      status: `ok`; `diverged`, when a number stopped being finite; `failed`,
        when there is no result for another reason, and a restart tries again.
      validation_loss: the lowest so far; None unless ok.
      validation_ua: in the same epoch, 0 to 1; None unless ok.
      parameters: weights of the network; None when it was never built.
      seconds: that this rung took.
      seed: of the training.
      settings: fingerprint of all that decides the result.
      message: why there is no result.
    """

    digest: str
    name: str
    recipe: Mapping[str, Any]
    rung: int
    epochs: int
    status: str
    validation_loss: float | None
    validation_ua: float | None
    parameters: int | None
    seconds: float
    seed: int
    settings: str
    message: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What was evaluated."""
        return (self.digest, self.rung)


class Ledger:
    """The ledger in a folder; for one process at a time.

    Use as a context manager, which opens and closes it.

    Args:
      folder: it exists.
      settings: fingerprint of all that decides the results.

    Raises:
      UsageError: on opening, when the folder holds evaluations of other
        settings, when another process has it open, or when a line that is not
        the last one is damaged.
    """

    def __init__(self, folder: Path, settings: str):
        self.path = folder / LEDGER_NAME
        self.settings = settings
        self._evaluations: dict[tuple[str, int], Evaluation] = {}

    def __enter__(self) -> "Ledger":
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UsageError(
                f"Another search is writing to {self.path}. Wait for it, stop "
                "it, or use another --run_dir."
            ) from None
        try:
            self._read()
        except UsageError:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def evaluations(self) -> list[Evaluation]:
        """In the order of finishing; the last of each candidate and rung."""
        return list(self._evaluations.values())

    def result(self, digest: str, rung: int) -> Evaluation | None:
        """What is known of a candidate at a rung; a failure does not count."""
        found = self._evaluations.get((digest, rung))
        return None if found is None or found.status == FAILED else found

    def append(self, evaluation: Evaluation) -> None:
        """Notes an evaluation; it has reached the disk on return.

        Raises:
          OSError: when the disk is full.
        """
        line = json.dumps(
            dataclasses.asdict(evaluation), ensure_ascii=False, allow_nan=False
        )
        self._file.write(f"{line}\n".encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._remember(evaluation)

    def _remember(self, evaluation: Evaluation) -> None:
        self._evaluations.pop(evaluation.key, None)
        self._evaluations[evaluation.key] = evaluation

    def _read(self) -> None:
        """Reads what is there, and cuts off a last line left unfinished."""
        self._file.seek(0)
        lines = self._file.read().splitlines(keepends=True)
        end = 0
        for number, line in enumerate(lines, 1):
            found = _parsed(line)
            if found is None and number < len(lines):
                raise UsageError(
                    f"{self.path} is damaged: line {number} of {len(lines)} "
                    "is no evaluation. Remove that line, and the candidate is "
                    "evaluated again."
                )
            if found is None:
                break
            if found.settings != self.settings:
                raise UsageError(
                    f"{self.path.parent} holds a search of other settings "
                    f"({found.settings} there, {self.settings} now). Use the "
                    "same settings to go on with it, another --run_dir, or "
                    "remove it."
                )
            self._remember(found)
            end += len(line)
        self._file.truncate(end)


def _parsed(line: bytes) -> Evaluation | None:
    """The evaluation of a line; None when it is cut or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        evaluation = Evaluation(**json.loads(line))
        Recipe.from_mapping(evaluation.recipe)
    except (ValueError, TypeError, UsageError):
        return None
    return evaluation


def standing(evaluations: Iterable[Evaluation]) -> list[Evaluation]:
    """The last evaluation of each candidate, best candidate first.

    Who has been trained for longer stands before who was left behind; among
    equals the lower validation loss counts, then fewer parameters, then the
    digest. Behind all of them are those that diverged, then those that failed.
    The order of the evaluations does not matter.
    """
    last: dict[str, Evaluation] = {}
    for each in sorted(evaluations, key=lambda e: e.rung):
        last[each.digest] = each
    return sorted(last.values(), key=rank)


def rank(evaluation: Evaluation) -> tuple:
    """Sorts evaluations, best first; see `standing`."""
    loss = evaluation.validation_loss
    return (
        (OK, DIVERGED, FAILED).index(evaluation.status),
        -evaluation.rung,
        math.inf if loss is None else loss,
        evaluation.parameters or 0,
        evaluation.digest,
    )


def write_table(folder: Path, evaluations: Iterable[Evaluation]) -> None:
    """Writes `candidates.csv`: a candidate a line, best first."""
    rows = standing(evaluations)
    with (
        replacing(folder / TABLE_NAME) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["place", *_COLUMNS])
        for place, row in enumerate(rows, 1):
            fields = dataclasses.asdict(row)
            fields["recipe"] = json.dumps(fields["recipe"])
            writer.writerow([place, *(fields[name] for name in _COLUMNS)])


# The recipe last: it is long.
_COLUMNS = (
    *("name", "status", "rung", "epochs", "validation_loss", "validation_ua"),
    *("parameters", "seconds", "seed", "digest", "message", "recipe"),
)
