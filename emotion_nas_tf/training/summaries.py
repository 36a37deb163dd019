"""What TensorBoard shows of a search or a training."""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.architecture_watch import (
    alpha_entropy,
    alpha_movement,
)
from emotion_nas_tf.training.epochs import INPUT_WAIT
from emotion_nas_tf.training.failures import reason
from emotion_nas_tf.visualization.cell_graph import draw_genotype
from emotion_nas_tf.visualization.operation_style import CELLS
from emotion_nas_tf.visualization.plots import alpha_heat_map, figure_to_image
from emotion_nas_tf.visualization.recipe_boxes import recipe_lines
from emotion_nas_tf.visualization.recipe_graph import (
    draw_recipe,
)
from tfrecords_builder.errors import WorkError

# Keras' names of an epoch's numbers, and where TensorBoard shows them.
_SCALARS = {
    "loss": "loss/training",
    "architecture_loss": "loss/architecture batches",
    "val_loss": "loss/validation",
    "ua": "UA/training",
    "val_ua": "UA/validation",
    INPUT_WAIT: "input wait share",
}


class ScalarSummaries(keras.callbacks.Callback):
    """Losses and UA of both splits, an epoch a point.

    Args:
      folder: of the event files.
      learning_rate: the rate now.
    """

    def __init__(self, folder: Path, learning_rate: Callable[[], float]):
        super().__init__()
        self.writer = file_writer(folder)
        self.learning_rate = learning_rate

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the epoch's numbers."""
        with self.writer.as_default(step=epoch + 1):
            for name, value in (logs or {}).items():
                tf.summary.scalar(_SCALARS.get(name, name), value)
            tf.summary.scalar("learning rate", self.learning_rate())
        self.writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Closes the event file."""
        self.writer.close()


class ArchitectureSummaries(keras.callbacks.Callback):
    """Alpha and the cells it stands for, an epoch a point.

    Args:
      folder: of the event files.
      network: its alphas are shown.
      initial: (2, edges, 8) alphas before the search.
      columns: the watch's numbers of the epoch, shown as they are.
    """

    def __init__(
        self,
        folder: Path,
        network: SearchNetwork,
        initial: np.ndarray,
        columns: Callable[[], Mapping[str, float]] = dict,
    ):
        super().__init__()
        self.writer = file_writer(folder, ".architecture")
        self.network, self.initial = network, initial
        self.columns = columns

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes scalars, histograms, heat map, text and drawing."""
        logits, strengths = self.network.logits(), self.network.strengths()
        genotype = self.network.genotype()
        with self.writer.as_default(step=epoch + 1):
            for index, cell in enumerate(CELLS):
                tf.summary.scalar(
                    f"alpha entropy (nats)/{cell}",
                    alpha_entropy(strengths[index]),
                )
                tf.summary.scalar(
                    f"alpha movement/{cell}",
                    alpha_movement(logits[index], self.initial[index]),
                )
                tf.summary.histogram(f"alpha/{cell}", logits[index])
            for name, value in self.columns().items():
                tf.summary.scalar(f"watch/{name}", value)
            # A cell an image: TensorBoard shows them side by side, unshrunk.
            title = f"after epoch {epoch + 1}"
            for cell in CELLS:
                heat_map = alpha_heat_map(*strengths, title, cell, genotype)
                drawing = draw_genotype(genotype, title, cell)
                tf.summary.image(
                    f"alpha weights/{cell}", figure_to_image(heat_map)
                )
                tf.summary.image(f"cells/{cell}", figure_to_image(drawing))
            tf.summary.text("genotype", as_code(genotype.to_text()))
        self.writer.flush()

    def on_train_end(self, logs: dict | None = None) -> None:
        """Closes the event file."""
        self.writer.close()


def write_end(
    folder: Path,
    epoch: int,
    title: str,
    text: str,
    scalars: Mapping[str, float],
) -> None:
    """Shows lines of text and numbers in TensorBoard, after the training.

    Args:
      folder: of the event files.
      epoch: where it ended.
      title: of the text.
      text: its lines.
      scalars: numbers, by the name that they are shown under.
    """
    writer = file_writer(folder, ".end")
    with writer.as_default(step=epoch):
        tf.summary.text(title, as_code(text))
        for name, value in scalars.items():
            tf.summary.scalar(name, value)
    writer.close()


def write_recipe(
    folder: Path, step: int, title: str, recipe: Recipe, note: str = ""
) -> None:
    """Shows a recurrent cell in TensorBoard, drawn and as text.

    Args:
      folder: of the event files.
      step: e.g. the rung of the search among candidates.
      title: of both.
      recipe: the cell.
      note: a line above the drawing.
    """
    image = figure_to_image(draw_recipe(recipe, note, card=True))
    writer = file_writer(folder, ".recipe")
    with writer.as_default(step=step):
        tf.summary.image(title, image)
        tf.summary.text(title, as_code(recipe_lines(recipe)))
    writer.close()


def as_code(text: str) -> str:
    """Four blanks make it a code block in TensorBoard's Markdown."""
    return "\n".join("    " + line for line in text.splitlines())


def file_writer(folder: Path, suffix: str = ".v2") -> tf.summary.SummaryWriter:
    """A new event file.

    Later on a full disk goes unnoticed by TensorFlow's writer; the epoch's
    checkpoint, which is written next, notices.

    Raises:
      WorkError: when the file cannot be made.
    """
    try:
        return tf.summary.create_file_writer(
            str(folder), filename_suffix=suffix
        )
    except tf.errors.OpError as error:
        raise WorkError(
            f"TensorBoard's file cannot be written to {folder} "
            f"({reason(error)}). Is the disk full? What was finished before is "
            "kept: free some space and run the same command again."
        ) from error
