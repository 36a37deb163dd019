"""Exports a network and proves the export before giving it its name."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.networks.system import SystemInfo, load_system
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.serving import signatures
from emotion_nas_tf.serving.fresh_process import classify_in_fresh_process
from emotion_nas_tf.serving.model_folder import is_saved_model
from emotion_nas_tf.serving.selection import (
    NUM_CLIPS,
    Clips,
    generated_waveforms,
)
from tfrecords_builder.audio import load_audio
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.spectrogram import Spectrogram

MAX_DIFFERENCE = 1e-5


@dataclass(frozen=True)
class Export:
    """What an export made.

    Attributes:
      path: the SavedModel.
      num_clips: clips on which it was compared with the Keras model.
      why_generated: why they are no recordings; empty when they are.
      max_difference: greatest difference of two probabilities.
    """

    path: Path
    num_clips: int
    why_generated: str
    max_difference: float

    def to_text(self) -> str:
        """What was made and how it was checked, for people."""
        clips = (
            f"generated waveforms ({self.why_generated})"
            if self.why_generated
            else "recordings"
        )
        return (
            f"Exported {self.path}: reloaded in a fresh process, it answers "
            f"as the trained network on {self.num_clips} {clips}; the "
            f"largest difference of a probability is {self.max_difference:.1e} "
            f"(limit {MAX_DIFFERENCE:.0e})."
        )


def export_system(
    directory: FoldDirectory,
    system: str = "retrained",
    output: Path | None = None,
    clips: Clips | None = None,
) -> Export:
    """Exports one network of a test.

    Args:
      directory: the test's folder.
      system: one of the spectrogram stream's.
      output: where the SavedModel goes; None for `directory.model`.
      clips: recordings to compare the model on; without any, waveforms are
        generated.

    Raises:
      UsageError: when the system or a clip does not exist, or `output` is
        something else than an earlier export.
      WorkError: when the reloaded model differs or the disk is full; nothing
        is left then.
    """
    output = Path(output or directory.model)
    clips = clips or Clips()
    _check_output(output)
    network, info = load_system(directory, system)
    _check_front_end(info, f"The system {system} in {directory.path}")
    rate = info.spectrogram.sample_rate_hz
    waveforms = [
        load_audio(clip, rate).waveform for clip in clips.paths
    ] or generated_waveforms(NUM_CLIPS, rate)
    metadata = signatures.describe(
        info,
        system=system,
        fold=directory.fold,
        test_speaker=directory.test_speaker,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{output.name}.unfinished-"
    _remove_unfinished(output.parent, prefix)
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=output.parent
    ) as folder:
        candidate = Path(folder) / "model"
        _save(network, metadata, candidate, output)
        difference = _difference(network, info, candidate, waveforms)
        if output.exists():
            output.rename(Path(folder) / "replaced")
        candidate.rename(output)
    return Export(
        output,
        len(waveforms),
        "" if clips.paths else clips.why_none,
        difference,
    )


def _remove_unfinished(parent: Path, prefix: str) -> None:
    """Removes what an export that was killed has left."""
    for path in parent.iterdir():
        if path.name.startswith(prefix) and path.is_dir():
            shutil.rmtree(path)


def _save(
    network: keras.Model, metadata: dict, candidate: Path, output: Path
) -> None:
    try:
        signatures.save_model(network, metadata, candidate)
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


def _difference(
    network: keras.Model,
    info: SystemInfo,
    candidate: Path,
    waveforms: Sequence[np.ndarray],
) -> float:
    """Greatest difference between the Keras model and the reloaded one."""
    front_end = Spectrogram(info.spectrogram)
    expected = np.concatenate(
        [
            signatures.classify(network, front_end, tf.constant(w[None]))
            for w in waveforms
        ]
    )
    try:
        received = classify_in_fresh_process(candidate, waveforms)
    except RuntimeError as error:
        raise WorkError(
            "The exported model could not be loaded in a fresh process: "
            f"{error}. Nothing was exported."
        ) from None
    difference = float(np.abs(received - expected).max())
    # Not `>`: NaN must fail.
    if not difference <= MAX_DIFFERENCE:
        raise WorkError(
            f"The exported model differs from the trained one by "
            f"{difference:.1e} (at most {MAX_DIFFERENCE:.0e} is expected) on "
            f"{len(waveforms)} clips. Nothing was exported."
        )
    return difference


def _check_output(output: Path) -> None:
    is_empty_folder = output.is_dir() and not any(output.iterdir())
    if output.exists() and not is_saved_model(output) and not is_empty_folder:
        raise UsageError(
            f"{output} exists and is no exported model: it would be lost. "
            "Name another folder with --output."
        )


def _check_front_end(info: SystemInfo, owner: str) -> None:
    if info.spectrogram.fingerprint() != info.fingerprint:
        raise UsageError(
            f"{owner} was trained on features of another version of the front "
            f"end (fingerprint {info.fingerprint[:12]}, this program's is "
            f"{info.spectrogram.fingerprint()[:12]}). Export it with the "
            "release that trained it, or build records and train anew."
        )
