"""One step of a wav2vec's pretraining, and all that the next depends on."""

import math
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfrecords_builder.config import PretrainConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.loss import (
    contrastive_logits,
    contrastive_loss,
    sample_negatives,
)
from tfrecords_builder.features.wav2vec.model import Wav2Vec
from tfrecords_builder.files import replacing

# Adam of the published training.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.98, 1e-8


class Pretraining:
    """A model, Adam's moments, and one step.

    Args:
      model: with a prediction head.
      config: how it is trained.
    """

    def __init__(self, model: Wav2Vec, config: PretrainConfig):
        self.model, self.config = model, config
        self.weights = [weight.value for weight in model.trainable_weights]
        self.moments = [
            (tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w)))
            for w in self.weights
        ]
        self._compiled = tf.function(
            self._step,
            input_signature=(
                tf.TensorSpec((None, None)),
                tf.TensorSpec((), tf.int32),
                tf.TensorSpec(()),
            ),
            autograph=False,
        )

    def step(self, waveforms: np.ndarray, number: int) -> tuple[float, float]:
        """Moves the weights by batch `number`, counted from 0.

        Returns:
          The loss (nats a true frame) and the share of true frames that
          score higher than all their negatives, both before the step.
        """
        rate = learning_rate(self.config, number)
        loss, share = self._compiled(waveforms, number, rate)
        return float(loss), float(share)

    def _step(self, waveforms, number, rate):
        settings = self.model.settings
        with tf.GradientTape() as tape:
            z = self.model.encode(waveforms)
            predictions = self.model.head(self.model.aggregate(z))
            negatives = sample_negatives(
                tf.shape(z)[0],
                tf.shape(z)[1],
                self.config.num_negatives,
                tf.stack([self.config.seed, number]),
            )
            total, positives, found = contrastive_loss(
                contrastive_logits(
                    predictions, z, negatives, settings.prediction_offset
                )
            )
            loss = total / positives
        gradients = tape.gradient(loss, self.weights)
        step = tf.cast(number, tf.float32) + 1
        correction = tf.sqrt(1 - _BETA_2**step) / (1 - _BETA_1**step)
        for weight, gradient, (mean, square) in zip(
            self.weights, gradients, self.moments, strict=True
        ):
            mean.assign(_BETA_1 * mean + (1 - _BETA_1) * gradient)
            square.assign(
                _BETA_2 * square + (1 - _BETA_2) * tf.square(gradient)
            )
            weight.assign_sub(
                rate * correction * mean / (tf.sqrt(square) + _EPSILON)
            )
        return loss, found / positives

    def save(self, path: Path, steps_done: int, kept: list[Path]) -> None:
        """Writes all that the next step depends on, whole or not at all."""
        arrays = {"steps_done": steps_done, "paths": [str(p) for p in kept]}
        for index, variables in enumerate(self._variables()):
            for name, variable in zip("wms", variables, strict=True):
                arrays[f"{name}{index}"] = variable.numpy()
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)

    def restore(self, path: Path) -> tuple[int, list[Path]]:
        """The inverse of `save`: steps done and the files that are used.

        Raises:
          UsageError: when the file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                for index, variables in enumerate(self._variables()):
                    for name, variable in zip("wms", variables, strict=True):
                        variable.assign(arrays[f"{name}{index}"])
                return (
                    int(arrays["steps_done"]),
                    [Path(str(p)) for p in arrays["paths"]],
                )
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(
                f"{path} is damaged ({error}). Remove its folder to start "
                "from the beginning."
            ) from error

    def _variables(self):
        return (
            (weight, *moments)
            for weight, moments in zip(self.weights, self.moments, strict=True)
        )


def learning_rate(config: PretrainConfig, number: int) -> float:
    """Rate of step `number`: a linear warm-up, then half a cosine to 0."""
    if number < config.warmup_steps:
        return config.learning_rate * (number + 1) / config.warmup_steps
    left = max(1, config.steps - config.warmup_steps)
    progress = min(1.0, (number - config.warmup_steps) / left)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
