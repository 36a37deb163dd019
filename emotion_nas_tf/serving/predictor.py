"""Predicts emotions of audio files with an exported model alone."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from emotion_nas_tf.serving.model_folder import check_model_folder
from tfrecords_builder.audio import Audio, AudioError, load_audio
from tfrecords_builder.errors import UsageError, WorkError


@dataclass(frozen=True)
class Prediction:
    """What the model hears in one file.

    Attributes:
      path: the file, as it was named.
      label: the most probable class.
      probabilities: of every class, in the model's order.
      duration_seconds: length of the file.
      heard_seconds: how much of it, from the start, the model hears.
      notes: what makes the answer doubtful, in words.
    """

    path: str
    label: str
    probabilities: dict[str, float]
    duration_seconds: float
    heard_seconds: float
    notes: tuple[str, ...] = ()

    def to_line(self) -> str:
        """One line: path, label and probabilities, separated by tabs."""
        shares = " ".join(f"{k}={v:.3f}" for k, v in self.probabilities.items())
        return f"{self.path}\t{self.label}\t{shares}"

    def to_json(self) -> str:
        """One line of JSON."""
        fields = {
            "path": self.path,
            "label": self.label,
            "probabilities": self.probabilities,
            "duration_seconds": self.duration_seconds,
            "heard_seconds": self.heard_seconds,
        }
        return json.dumps(fields, ensure_ascii=False)


class Predictor:
    """An exported model, loaded.

    Args:
      model: the SavedModel's folder.

    Raises:
      UsageError: when there is none, it is damaged, or this project did not
        export it.
    """

    def __init__(self, model: Path):
        self._model = _load(Path(model))
        self.metadata = _read_metadata(self._model, model)
        self._serve = self._model.signatures["serving_default"]

    @property
    def label_names(self) -> list[str]:
        """The classes, in the order of the probabilities."""
        return self.metadata["label_names"]

    def predict(self, path: str | Path) -> Prediction:
        """Hears one file of any sample rate.

        Raises:
          AudioError: when the file holds no usable audio.
          WorkError: when the model's answer is not a number.
        """
        if Path(path).is_dir():
            raise AudioError(
                f"{path} is a folder; name audio files.", "unreadable"
            )
        audio = load_audio(path, self.metadata["sample_rate_hz"])
        longest = self.metadata["duration_seconds"]
        answer = self._serve(waveform=tf.constant(audio.waveform[None]))
        values = answer["probabilities"].numpy()[0]
        if not np.isfinite(values).all():
            raise WorkError(f"{path}: the model answers with NaN.")
        return Prediction(
            path=str(path),
            label=self.label_names[int(values.argmax())],
            probabilities={
                name: float(value)
                for name, value in zip(self.label_names, values, strict=True)
            },
            duration_seconds=audio.duration_seconds,
            heard_seconds=min(audio.duration_seconds, longest),
            notes=_notes(audio, longest),
        )


def _notes(audio: Audio, longest: float) -> tuple[str, ...]:
    """What the user should know before believing the answer."""
    facts = {
        "it is silent": audio.silent,
        "it is very quiet": audio.very_quiet,
        "it is clipped": audio.clipped,
        f"it lasts {audio.duration_seconds:.1f} s, only the first "
        f"{longest:g} s are heard": audio.duration_seconds > longest,
    }
    return tuple(note for note, is_so in facts.items() if is_so)


def _load(model: Path):
    check_model_folder(model)
    try:
        return tf.saved_model.load(str(model))
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"The model in {model} is damaged ({reason}). Export it again."
        ) from None


def _read_metadata(loaded, model: Path) -> dict:
    missing = {"serving_default", "metadata"} - set(loaded.signatures)
    if missing:
        raise UsageError(
            f"{model} is a SavedModel without the signature "
            f"{', '.join(sorted(missing))}: `python -m emotion_nas_tf.export` "
            "did not write it."
        )
    answer = loaded.signatures["metadata"]()["metadata"]
    return json.loads(answer.numpy().decode())
