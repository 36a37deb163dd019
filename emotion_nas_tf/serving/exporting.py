"""Exports trained systems and proves the export before giving it its name."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.serving import signatures
from emotion_nas_tf.serving.assembling import assemble
from emotion_nas_tf.serving.fresh_process import ask_in_fresh_process
from emotion_nas_tf.serving.model_folder import is_saved_model
from emotion_nas_tf.serving.selection import (
    NUM_CLIPS,
    Clips,
    generated_waveforms,
)
from emotion_nas_tf.serving.streams import ServedModel
from emotion_nas_tf.systems import RECURRENT
from tfrecords_builder.audio import load_audio
from tfrecords_builder.errors import UsageError, WorkError

# Of a probability. A recurrent network adds up the rounding of hundreds of
# frames, which NumPy and TensorFlow compute differently.
MAX_DIFFERENCE = 1e-5
MAX_RECURRENT_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Export:
    """What an export made.

    Attributes:
      path: the SavedModel.
      parts: what is in it, in words.
      num_clips: clips on which it was compared with the trained networks.
      why_generated: why they are no recordings; empty when they are.
      differences: greatest difference of two probabilities, for each output.
      limit: of them.
    """

    path: Path
    parts: str
    num_clips: int
    why_generated: str
    differences: dict[str, float]
    limit: float

    @property
    def max_difference(self) -> float:
        """The greatest of all outputs."""
        return max(self.differences.values())

    def to_text(self) -> str:
        """What was made and how it was checked, for people."""
        clips = (
            f"generated waveforms ({self.why_generated})"
            if self.why_generated
            else "recordings"
        )
        figures = ", ".join(
            f"{name} {value:.1e}" for name, value in self.differences.items()
        )
        return (
            f"Exported {self.path} ({self.parts}): reloaded in a fresh "
            f"process, it answers as the trained network on {self.num_clips} "
            f"{clips}, one by one and in a padded batch; the largest "
            f"differences: {figures} (limit {self.limit:.0e})."
        )


def export_system(
    directory: FoldDirectory,
    system: str = "retrained",
    output: Path | None = None,
    clips: Clips | None = None,
    checkpoint: Path | None = None,
) -> Export:
    """Exports one system of a test: a network, or several and their fusion.

    Args:
      directory: the test's folder.
      system: one of `assembling.EXPORTABLE`.
      output: where the SavedModel goes; None for `directory.model`.
      clips: recordings to compare the model on; without any, waveforms are
        generated.
      checkpoint: wav2vec's, where that is an encoder of the system.

    Raises:
      UsageError: when the system or a clip does not exist, or `output` is
        something else than an earlier export.
      WorkError: when the reloaded model differs or the disk is full; nothing
        is left then.
    """
    output = Path(output or directory.model)
    clips = clips or Clips()
    _check_output(output)
    model = assemble(directory, system, checkpoint)
    rate = model.sample_rate_hz
    waveforms = [
        load_audio(clip, rate).waveform for clip in clips.paths
    ] or generated_waveforms(NUM_CLIPS, rate)
    metadata = signatures.describe(
        model, fold=directory.fold, test_speaker=directory.test_speaker
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{output.name}.unfinished-"
    _remove_unfinished(output.parent, prefix)
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=output.parent
    ) as folder:
        candidate = Path(folder) / "model"
        _save(model, metadata, candidate, output)
        differences, limit = _compare(model, candidate, waveforms)
        if output.exists():
            output.rename(Path(folder) / "replaced")
        candidate.rename(output)
    return Export(
        output,
        model.to_text(),
        len(waveforms),
        "" if clips.paths else clips.why_none,
        differences,
        limit,
    )


def _remove_unfinished(parent: Path, prefix: str) -> None:
    """Removes what an export that was killed has left."""
    for path in parent.iterdir():
        if path.name.startswith(prefix) and path.is_dir():
            shutil.rmtree(path)


def _save(
    model: ServedModel, metadata: dict, candidate: Path, output: Path
) -> None:
    try:
        signatures.save_model(model, metadata, candidate)
    except tf.errors.OpError as error:
        if isinstance(error, tf.errors.ResourceExhaustedError):
            raise WorkError(
                f"The disk is full ({output}). Nothing was exported: free "
                "some space and run the same command again."
            ) from None
        raise WorkError(
            f"{output} cannot be written ({error.message}). Nothing was "
            "exported."
        ) from None


def _compare(
    model: ServedModel, candidate: Path, waveforms: Sequence[np.ndarray]
) -> tuple[dict[str, float], float]:
    """Greatest differences of trained networks and reloaded model; limit."""
    expected = model.reference(waveforms)
    try:
        received = ask_in_fresh_process(candidate, waveforms)
    except RuntimeError as error:
        raise WorkError(
            "The exported model could not be loaded in a fresh process: "
            f"{error}. Nothing was exported."
        ) from None
    differences = {
        name: max(
            float(np.abs(answers[name] - expected[name]).max())
            for answers in received.values()
        )
        for name in expected
    }
    has_recurrent = any(each.name == RECURRENT for each in model.streams)
    limit = MAX_RECURRENT_DIFFERENCE if has_recurrent else MAX_DIFFERENCE
    for name, difference in differences.items():
        # Not `>`: NaN must fail.
        if not difference <= limit:
            raise WorkError(
                f"The exported model's {name} differ from the trained "
                f"network's by {difference:.1e} (at most {limit:.0e} is "
                f"expected) on {len(waveforms)} clips. Nothing was exported."
            )
    return differences, limit


def _check_output(output: Path) -> None:
    is_empty_folder = output.is_dir() and not any(output.iterdir())
    if output.exists() and not is_saved_model(output) and not is_empty_folder:
        raise UsageError(
            f"{output} exists and is no exported model: it would be lost. "
            "Name another folder with --output."
        )
