"""Pretraining of a wav2vec on unlabelled audio; goes on after a kill.

OUTPUT_DIR/  wav2vec.npz  history.csv  config.json  state.npz  events*
"""

import dataclasses
import json
import math
import time
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
from tfrecords_builder.features.wav2vec.model import Wav2Vec
from tfrecords_builder.features.wav2vec.pretraining_step import (
    Pretraining,
    learning_rate,
)
from tfrecords_builder.features.wav2vec.settings import (
    Wav2VecSettings,
    parse_layers,
)
from tfrecords_builder.files import read_json, write_json
from tfrecords_builder.history import (
    HISTORY_NAME,
    read_history,
    write_history,
)

CHECKPOINT_NAME = "wav2vec.npz"
_STATE_NAME = "state.npz"
_CONFIG_NAME = "config.json"


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
      WorkError: when the loss is no longer finite, or what the folder holds is
        damaged.
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
    # Later rows, left by a killed run, are made again.
    rows = [
        row
        for row in read_history(folder / HISTORY_NAME)
        if row["step"] <= done
    ]
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
        write_history(folder / HISTORY_NAME, rows)
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
