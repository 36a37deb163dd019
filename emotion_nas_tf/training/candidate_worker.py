"""Where candidates are trained: processes of their own, a thread each.

What all of them read, frames of features, lies on disk and is mapped into
memory: it is there once, however many processes train side by side.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.data.sequences import Sequences
from emotion_nas_tf.recurrent.trial import Outcome, Trial
from emotion_nas_tf.training.candidate_training import evaluate_candidate
from emotion_nas_tf.training.recurrent_data import RecurrentData
from tfrecords_builder.files import replacing


@dataclass(frozen=True)
class StoredData:
    """Splits whose frames lie in files. Small: goes to other processes.

    Attributes:
      data: the splits, with no frames.
      folder: of the frames.
    """

    data: RecurrentData
    folder: Path

    @classmethod
    def store(cls, data: RecurrentData, folder: Path) -> "StoredData":
        """Writes the frames to a folder, which is made.

        Files that a search at work has mapped stay what they were to it.

        Raises:
          OSError: when the disk is full.
        """
        folder.mkdir(parents=True, exist_ok=True)
        stored = cls(
            _with_frames(data, lambda name, frames: frames[:0]), folder
        )

        def save(name: str, frames: np.ndarray) -> None:
            with (
                replacing(stored._path(name)) as temporary,
                temporary.open("wb") as file,
            ):
                np.save(file, frames)

        _with_frames(data, save)
        return stored

    def load(self) -> RecurrentData:
        """The splits, their frames mapped into memory."""
        return _with_frames(
            self.data, lambda name, _: np.load(self._path(name), mmap_mode="r")
        )

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


@dataclass(frozen=True)
class RecipeEvaluator:
    """Trains a candidate; an `Evaluator`.

    Attributes:
      stored: training and validation speakers.
      network: size of the networks.
      train: how they are trained; its epochs and seed do not count.
    """

    stored: StoredData
    network: RecurrentConfig
    train: RecurrentTrainConfig

    def __call__(self, trial: Trial) -> Outcome:
        """Goes on with the candidate's training, to the end of its rung."""
        result = evaluate_candidate(
            trial.candidate.recipe,
            self.stored.load(),
            self.network,
            dataclasses.replace(self.train, seed=trial.seed),
            trial.epochs,
            trial.folder,
        )
        return Outcome(
            result["validation_loss"],
            result["validation_ua"] or 0.0,
            result["parameters"],
        )


def _with_frames(data: RecurrentData, change) -> RecurrentData:
    def changed(name: str, split: Sequences) -> Sequences:
        return dataclasses.replace(split, frames=change(name, split.frames))

    return dataclasses.replace(
        data,
        training=changed("training", data.training),
        validation=changed("validation", data.validation),
    )
