"""What is asked of a candidate, and what comes back. Pure Python."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.recurrent.ledger import DIVERGED, FAILED, OK, Evaluation
from emotion_nas_tf.recurrent.pool import Candidate
from tfrecords_builder.errors import WorkError


@dataclass(frozen=True)
class Trial:
    """A candidate at a rung.

    Attributes:
      candidate: the cell.
      rung: from 0.
      epochs: it shall have been trained for, in all, at the rung's end.
      folder: its own; a later rung goes on from what an earlier one left
        there, a killed one from what it left itself.
      seed: of the training, the same for all.
      settings: fingerprint of all that decides the result.
    """

    candidate: Candidate
    rung: int
    epochs: int
    folder: Path
    seed: int
    settings: str


@dataclass(frozen=True)
class Outcome:
    """What training a candidate gave.

    Attributes:
      validation_loss: the lowest of all epochs; anything but a finite number
        says that the candidate diverged.
      validation_ua: in that epoch, 0 to 1.
      parameters: weights of the network.
    """

    validation_loss: float
    validation_ua: float
    parameters: int


# Raises a `WorkError` when there is no result. Of the same trial, it must give
# the same outcome in any process and at any time.
Evaluator = Callable[[Trial], Outcome]


def evaluate(evaluator: Evaluator, trial: Trial) -> Evaluation:
    """An evaluation for the ledger; runs where the candidate is trained."""
    started = time.monotonic()
    loss = ua = parameters = None
    message = ""
    try:
        outcome = evaluator(trial)
    except WorkError as error:
        status, message = FAILED, str(error)
    else:
        parameters = outcome.parameters
        if math.isfinite(outcome.validation_loss):
            status = OK
            loss = float(outcome.validation_loss)
            ua = float(outcome.validation_ua)
        else:
            status, message = DIVERGED, "the loss stopped being finite"
    return Evaluation(
        digest=trial.candidate.digest,
        name=trial.candidate.name,
        recipe=trial.candidate.recipe.to_mapping(),
        rung=trial.rung,
        epochs=trial.epochs,
        status=status,
        validation_loss=loss,
        validation_ua=ua,
        parameters=parameters,
        seconds=round(time.monotonic() - started, 3),
        seed=trial.seed,
        settings=trial.settings,
        message=message,
    )
