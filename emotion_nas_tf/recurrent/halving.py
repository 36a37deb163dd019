"""Successive halving: who goes on, and how many epochs it takes.

    24 candidates, rungs of 3, 9 and 27 epochs, eta 3

    rung 1    24 trained for 3 epochs
    rung 2     8 of them for 6 more
    rung 3     2 of them for 18 more

Jamieson and Talwalkar 2016. A rung is decided when all of it is there, so that
the result depends neither on the number of workers nor on who is done first.
Pure Python.
"""

import itertools
from collections.abc import Sequence

from emotion_nas_tf.recurrent.ledger import OK, Evaluation, rank
from tfrecords_builder.errors import UsageError


def check_rungs(rung_epochs: Sequence[int], eta: int) -> None:
    """Raises an error when they make no halving.

    Raises:
      UsageError: when the epochs do not rise, or all would go on.
    """
    rising = all(a < b for a, b in itertools.pairwise((0, *rung_epochs)))
    if not rung_epochs or not rising:
        raise UsageError(
            "--rung_epochs must rise, from 1 or more: epochs in all at the end "
            f"of each rung, e.g. 3,9,27. Received: "
            f"{','.join(map(str, rung_epochs)) or 'nothing'}"
        )
    if eta < 2:
        raise UsageError(
            f"--eta={eta}: a rung's best 1 / eta go on; at least 2."
        )


def places(number: int, eta: int) -> int:
    """How many of a rung's candidates go on."""
    return max(1, number // eta)


def planned_epochs(number: int, rung_epochs: Sequence[int], eta: int) -> int:
    """Epochs of training when `number` candidates begin and none fails."""
    epochs, before = 0, 0
    for after in rung_epochs:
        epochs += number * (after - before)
        number, before = places(number, eta), after
    return epochs


def survivors(evaluations: Sequence[Evaluation], eta: int) -> list[Evaluation]:
    """Who goes on, best first.

    Those that diverged or failed never do; the number of places is that of
    all candidates, by eta.

    Args:
      evaluations: of all candidates of a rung, in any order.
      eta: a rung's best 1 / eta go on.
    """
    finite = [each for each in evaluations if each.status == OK]
    return sorted(finite, key=rank)[: places(len(evaluations), eta)]
