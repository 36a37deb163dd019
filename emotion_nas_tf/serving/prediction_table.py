"""The CSV file of many predictions, which an interrupted program goes on with.

    path,predicted,p_neutral,...,seconds,heard_seconds,warnings,error,
    model,bytes,modified

A row is written as soon as its batch is done. It says by which model and of
which state of the file (size, time of change in nanoseconds) it is: what is
still the same is not predicted again. Pure: no TensorFlow.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.serving.recordings import Recording
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

FIRST = ("path", "predicted")
LAST = (
    *("seconds", "heard_seconds", "warnings", "error"),
    *("model", "bytes", "modified"),
)

Row = dict[str, str]

# A file's name may be any bytes.
_ENCODING = {"encoding": "utf-8", "errors": "surrogateescape"}


@dataclass
class PredictionTable:
    """The file, open for one run of the program.

    Attributes:
      path: the CSV file.
      columns: between `FIRST` and `LAST`: probabilities.
      model: short digest of the model.
    """

    path: Path
    columns: tuple[str, ...]
    model: str

    def __post_init__(self):
        self._rows: dict[str, Row] = {}

    @property
    def header(self) -> tuple[str, ...]:
        """All columns."""
        return (*FIRST, *self.columns, *LAST)

    def open(self, recordings: Sequence[Recording]) -> list[Recording]:
        """Keeps what holds of an earlier run; returns what is to be done.

        Rows of an unchanged file are kept, those with an error are not: the
        file may be readable now. So are rows of files that are not asked for.

        Raises:
          UsageError: when the file is something else than such a table, or
            one of other classes or of another model.
        """
        before = self._read()
        others = {row["model"] for row in before} - {self.model}
        if others:
            raise UsageError(
                f"{self.path} holds the answers of another model "
                f"({', '.join(sorted(others))}; this one is {self.model}): "
                "they would be lost. Name another file with --output, or "
                "remove this one."
            )
        asked = {recording.name: recording for recording in recordings}
        for row in before:
            recording = asked.get(row["path"])
            if row["error"]:
                continue
            if recording is None or _state(recording.path) == (
                row["bytes"],
                row["modified"],
            ):
                self._rows[row["path"]] = row
        self._write(self._rows.values())
        return [each for each in recordings if each.name not in self._rows]

    def add(self, pairs: Iterable[tuple[Recording, Row]]) -> None:
        """Appends rows, each of what `self.columns` and `LAST` have."""
        added = []
        for recording, values in pairs:
            num_bytes, modified = _state(recording.path)
            row = dict.fromkeys(self.header, "") | values
            row |= {
                "path": recording.name,
                "model": self.model,
                "bytes": num_bytes,
                "modified": modified,
            }
            self._rows[recording.name] = row
            added.append(row)
        with self.path.open("a", newline="", **_ENCODING) as file:
            file.write(self._to_text(added))

    def finish(self, recordings: Sequence[Recording]) -> None:
        """Puts the rows into the order of `recordings`; others come last."""
        order = {each.name: i for i, each in enumerate(recordings)}
        self._write(
            sorted(
                self._rows.values(),
                key=lambda row: order.get(row["path"], len(order)),
            )
        )

    def _read(self) -> list[Row]:
        if not self.path.exists():
            return []
        if self.path.is_dir():
            raise UsageError(f"--output={self.path} is a folder; name a file.")
        try:
            text = self.path.read_text(**_ENCODING)
            # Not splitlines: a name may hold any other end of a line. What
            # follows the last one is a row that was being written.
            whole = text[: text.rfind("\n") + 1]
            header, *rows = csv.reader(io.StringIO(whole, newline="")) or [[]]
        except (UnicodeDecodeError, csv.Error, ValueError):
            header, rows = [], []
        if not self.path.stat().st_size:
            return []
        if tuple(header) != self.header:
            raise UsageError(
                f"{self.path} is no table of predictions of these classes: it "
                "would be lost. Name another file with --output."
            )
        return [
            dict(zip(header, row, strict=True))
            for row in rows
            if len(row) == len(header)
        ]

    def _write(self, rows: Iterable[Row]) -> None:
        header = dict(zip(self.header, self.header, strict=True))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as temporary:
            temporary.write_text(
                self._to_text([header, *rows]), newline="", **_ENCODING
            )

    def _to_text(self, rows: Iterable[Row]) -> str:
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, self.header, lineterminator="\n")
        writer.writerows(rows)
        return buffer.getvalue()


def _state(path: Path) -> tuple[str, str]:
    """Size and time of change; empty where there is no file."""
    try:
        state = path.stat()
    except OSError:
        return ("", "")
    return (str(state.st_size), str(state.st_mtime_ns))
