"""Pretraining of a wav2vec on unlabelled audio; goes on after a kill.

OUTPUT_DIR/  wav2vec.npz  history.csv  config.json  state.npz  events*
"""

import csv
import dataclasses
import json
import math
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfrecords_builder.config import PretrainConfig
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.wav2vec.checkpoint import write_checkpoint
from tfrecords_builder.features.wav2vec.crops import (
    Crops,
    find_audio,
    usable_audio,
)
from tfrecords_builder.features.wav2vec.loading import checkpoint_of
from tfrecords_builder.features.wav2vec.loss import (
    contrastive_logits,
    contrastive_loss,
    sample_negatives,
)
from tfrecords_builder.features.wav2vec.model import Wav2Vec
from tfrecords_builder.features.wav2vec.settings import (
    Wav2VecSettings,
    parse_layers,
)
from tfrecords_builder.files import read_json, replacing, write_json

CHECKPOINT_NAME = "wav2vec.npz"
_STATE_NAME = "state.npz"
_HISTORY_NAME = "history.csv"
_CONFIG_NAME = "config.json"
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


def settings_of(config: PretrainConfig) -> Wav2VecSettings:
    """The network that a configuration asks for.

    Raises:
      UsageError: when its layers cannot be read.
    """
    large = Wav2VecSettings()

    def resized(layers):
        return tuple((config.channels, *layer[1:]) for layer in layers)

    return Wav2VecSettings(
        encoder=parse_layers(config.encoder_layers)
        if config.encoder_layers
        else resized(large.encoder),
        aggregator=parse_layers(config.aggregator_layers)
        if config.aggregator_layers
        else resized(large.aggregator),
        prediction_steps=config.prediction_steps,
    )


def pretrain(
    config: PretrainConfig, say: Callable[[str], None] = print
) -> Path:
    """Trains, or goes on; returns the checkpoint's path.

    Killed and run again, it ends with the same bits.

    Raises:
      UsageError: when there is no usable audio, or the folder holds a
        training of other settings.
      WorkError: when the loss is no longer finite.
    """
    settings = settings_of(config)
    _claim(config, settings)
    folder = config.output_dir
    keras.utils.set_random_seed(config.seed)
    training = Pretraining(Wav2Vec(settings, prediction_head=True), config)
    # A frame that the first step predicts, and one to tell it from.
    frames = settings.prediction_offset + 2
    shortest = (
        settings.receptive_field_samples + (frames - 1) * settings.hop_samples
    )
    if (folder / _STATE_NAME).is_file():
        done, paths = training.restore(folder / _STATE_NAME)
        say(f"Going on after step {done} of {config.steps}.")
    else:
        done, found = 0, find_audio(config.audio_dir)
        paths = usable_audio(found, shortest, say)
    count = training.model.count_params()
    say(f"{count} parameters, {len(paths)} audio files.")
    crops = Crops(
        paths, config.seed, config.batch_size, config.crop_samples, shortest
    )
    _train(training, crops, config, done, say)
    path = folder / CHECKPOINT_NAME
    write_checkpoint(path, checkpoint_of(training.model))
    return path


def _train(
    training: Pretraining,
    crops: Crops,
    config: PretrainConfig,
    done: int,
    say: Callable[[str], None],
) -> None:
    folder = config.output_dir
    rows = _read_history(folder / _HISTORY_NAME, done)
    writer = tf.summary.create_file_writer(str(folder))
    losses, shares, started, first = [], [], time.monotonic(), done
    for number in range(done, config.steps):
        loss, share = training.step(crops.batch(number), number)
        if not math.isfinite(loss):
            raise WorkError(
                f"The loss is no longer finite (step {number + 1}). What was "
                f"saved last is in {folder}. Lower --learning_rate and use "
                "another --output_dir."
            )
        losses.append(loss)
        shares.append(share)
        steps_done = number + 1
        if steps_done % config.steps_per_save and steps_done < config.steps:
            continue
        row = {
            "step": steps_done,
            "loss": float(np.mean(losses)),
            "accuracy": float(np.mean(shares)),
            "learning_rate": learning_rate(config, number),
        }
        losses, shares = [], []
        rows.append(row)
        with writer.as_default(step=steps_done):
            for name in ("loss", "accuracy", "learning_rate"):
                tf.summary.scalar(f"pretraining/{name}", row[name])
        writer.flush()
        _write_history(folder / _HISTORY_NAME, rows)
        training.save(folder / _STATE_NAME, steps_done, crops.paths)
        seconds = (time.monotonic() - started) / (steps_done - first)
        left = seconds * (config.steps - steps_done)
        say(
            f"Step {steps_done}/{config.steps}: loss {row['loss']:.4f}, the "
            f"true frame first in {100 * row['accuracy']:.1f} % (chance "
            f"{100 / (1 + config.num_negatives):.1f} %), {seconds:.2f} s a "
            f"step, {left:.0f} s left"
        )
    writer.close()


def _claim(config: PretrainConfig, settings: Wav2VecSettings) -> None:
    """Notes what the folder is for, or compares."""
    path = config.output_dir / _CONFIG_NAME
    config.output_dir.mkdir(parents=True, exist_ok=True)
    fields = dataclasses.asdict(config) | {"settings": settings.to_json()}
    for name in ("output_dir", "steps_per_save"):
        del fields[name]
    fields["audio_dir"] = str(config.audio_dir)
    fields = json.loads(json.dumps(fields))
    before = read_json(path) if path.is_file() else fields
    if before != fields:
        changes = ", ".join(
            f"{name}: {before.get(name)} there, {value} now"
            for name, value in fields.items()
            if before.get(name) != value
        )
        raise UsageError(
            f"{config.output_dir} holds a pretraining of other settings "
            f"({changes}). Use the same ones to go on, or another "
            "--output_dir."
        )
    write_json(path, fields)


def _read_history(path: Path, steps_done: int) -> list[dict]:
    """Rows up to the state; later ones are made again."""
    if not path.is_file() or not steps_done:
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    return [
        {**row, "step": int(row["step"])}
        for row in rows
        if row["step"] <= steps_done
    ]


def _write_history(path: Path, rows: list[dict]) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
