"""How far a candidate search is. Pure Python."""

import time
from collections.abc import Callable, Sequence

from emotion_nas_tf.recurrent.ledger import OK, Evaluation, rank


class CandidateProgress:
    """Lines with the rate, the time left and the best candidate so far.

    Args:
      total_epochs: of the whole search, when no candidate fails.
      say: takes a line.
    """

    def __init__(self, total_epochs: int, say: Callable[[str], None]):
        self._left, self._say = total_epochs, say
        self._trained = 0
        self._best: Evaluation | None = None
        self._started = time.monotonic()

    def start_rung(self, rung: int, number: int, known: int) -> None:
        """Says that a rung begins.

        Args:
          rung: from 0.
          number: its candidates.
          known: those of them that were evaluated before.
        """
        self._rung, self._number, self._done = rung, number, known
        if known:
            self._say(
                f"rung {rung + 1}: {known} of {number} candidates were "
                "evaluated before, kept."
            )

    def note(
        self, evaluation: Evaluation, epochs: int, was_there: bool = False
    ) -> None:
        """Takes an evaluation; says how far it is, when it is a new one.

        Args:
          evaluation: of a candidate.
          epochs: that the rung added to its training.
          was_there: an earlier start evaluated it.
        """
        self._left -= epochs
        finite = evaluation.status == OK
        if finite and (
            self._best is None or rank(evaluation) < rank(self._best)
        ):
            self._best = evaluation
        if was_there:
            return
        self._done += 1
        self._trained += epochs
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = self._trained / seconds
        best = self._best
        self._say(
            f"rung {self._rung + 1}: {self._done} of {self._number} "
            f"candidates, {_rate(rate)}, about "
            f"{_duration(self._left / rate)} left; "
            f"{evaluation.name}: {describe(evaluation)}; best so far: "
            + (f"{best.name}, {describe(best)}" if best else "none")
        )


def describe(evaluation: Evaluation) -> str:
    """The result of an evaluation in a few words."""
    if evaluation.status != OK:
        return f"{evaluation.status} ({evaluation.message})"
    return (
        f"loss {evaluation.validation_loss:.4f}, UA "
        f"{100 * evaluation.validation_ua:.1f} % after {evaluation.epochs} "
        f"epoch{'s' if evaluation.epochs > 1 else ''}"
    )


def standing_table(standing: Sequence[Evaluation]) -> str:
    """A table for people, a candidate a line."""
    rows = [
        ["place", "loss", "UA", "epochs", "parameters", "candidate", "digest"]
    ]
    for place, each in enumerate(standing, 1):
        rows.append(
            [
                str(place),
                *(
                    [
                        f"{each.validation_loss:.4f}",
                        f"{100 * each.validation_ua:.1f} %",
                    ]
                    if each.status == OK
                    else [each.status, ""]
                ),
                str(each.epochs),
                f"{each.parameters or 0:,}",
                each.name,
                each.digest[:12],
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows
    )


def _rate(epochs_a_second: float) -> str:
    if epochs_a_second >= 1:
        return f"{epochs_a_second:.1f} epochs/s"
    return f"{1 / epochs_a_second:.1f} s/epoch"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
