"""How long the steps of a run take, and how long what is left will take.

    RUN/durations.jsonl    a line when a step starts, another when it ends

Pure Python: no TensorFlow.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

FILE_NAME = "durations.jsonl"


class StepClock:
    """Measures steps of several processes and runs, by their kind.

    A step that was killed and went on later took longer than its last part:
    it counts for nothing.

    Args:
      folder: of the run; it exists.
      now: seconds, for tests.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic):
        self.path = folder / FILE_NAME
        self._now = now
        self._started: dict[tuple[str, str], float | None] = {}

    def start(self, test: str, kind: str) -> None:
        """Notes that a step begins; again, when it was begun before."""
        begun = any(
            (line["test"], line["kind"]) == (test, kind)
            for line in self._lines()
        )
        self._started[test, kind] = None if begun else self._now()
        self._append({"test": test, "kind": kind})

    def end(self, test: str, kind: str) -> None:
        """Notes how long it took."""
        started = self._started.pop((test, kind))
        if started is not None:
            seconds = round(self._now() - started, 1)
            self._append({"test": test, "kind": kind, "seconds": seconds})

    def mean_seconds(self) -> dict[str, float]:
        """Of each kind of step that has been measured."""
        measured: dict[str, list[float]] = {}
        for line in self._lines():
            if "seconds" in line:
                measured.setdefault(line["kind"], []).append(line["seconds"])
        return {kind: sum(all_) / len(all_) for kind, all_ in measured.items()}

    def _append(self, line: dict) -> None:
        # One write, so that lines of several processes do not mix; the break
        # comes first, so that a line that a kill cut does not spoil the next.
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(line))

    def _lines(self) -> list[dict]:
        """What is noted; a line that a kill has cut is none."""
        if not self.path.is_file():
            return []
        lines = []
        for text in self.path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                continue
        return lines


def describe_rest(
    left: Sequence[str],
    mean_seconds: Mapping[str, float],
    num_workers: int,
    now: datetime,
) -> str:
    """What is left and when it will be done, for people.

    Args:
      left: the kind of every step that is left.
      mean_seconds: of the kinds that have been measured.
      num_workers: steps that run at a time.
      now: the time of day.
    """
    unknown = sorted({kind for kind in left if kind not in mean_seconds})
    seconds = sum(mean_seconds.get(kind, 0) for kind in left) / num_workers
    text = f"{len(left)} step{'s' * (len(left) != 1)} left"
    if len(unknown) == len(set(left)):
        return text
    done = (now + timedelta(seconds=seconds)).strftime("%a %H:%M")
    text += f", about {_duration(seconds)}, done {done}"
    if unknown:
        text += f", not counting {', '.join(unknown)} (not yet measured)"
    return text


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
