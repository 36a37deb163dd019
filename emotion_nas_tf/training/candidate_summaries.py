"""What TensorBoard shows of a search among recurrent cells."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from emotion_nas_tf.recurrent.ledger import OK, Evaluation, standing
from emotion_nas_tf.recurrent.progress import describe, standing_table
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.training.summaries import (
    as_code,
    file_writer,
    write_recipe,
)

_TOP = 10


class CandidateSummaries:
    """Every evaluation a point, the best candidates a table.

    Args:
      folder: of the event files.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._writer = file_writer(folder, ".candidates")
        self._steps = 0

    def show(self, evaluations: Sequence[Evaluation]) -> None:
        """Shows the last of these evaluations, and who is best of them."""
        last, best = evaluations[-1], standing(evaluations)
        self._steps = len(evaluations)
        with self._writer.as_default(step=self._steps):
            for title, each in (("last", last), ("best", best[0])):
                if each.status == OK:
                    tf.summary.scalar(
                        f"candidates/validation loss, {title}",
                        each.validation_loss,
                    )
                    tf.summary.scalar(
                        f"candidates/validation UA, {title}",
                        each.validation_ua,
                    )
            tf.summary.text(
                "best candidates", as_code(standing_table(best[:_TOP]))
            )
        self._writer.flush()

    def end(self, winner: Evaluation, recipe: Recipe) -> None:
        """Shows the cell that was found."""
        self._writer.close()
        write_recipe(
            self.folder,
            self._steps,
            "found recurrent cell",
            recipe,
            f"{winner.name}: {describe(winner)}",
        )
