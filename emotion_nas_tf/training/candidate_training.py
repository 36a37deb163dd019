"""One candidate of the search among recipes: a short, resumable training.

    STATE_DIR/after-9.json  ckpt-153.*     what 9 epochs gave, and their state

A later call with more epochs goes on from there as if all had been asked for
at once: the rate is constant, and the order a function of seed and epoch.
"""

import dataclasses
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.data.batches import steps_per_epoch
from emotion_nas_tf.recurrent.parameters import parameters
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.training.checkpoints import Checkpoints
from emotion_nas_tf.training.epochs import run_epochs
from emotion_nas_tf.training.recurrent_data import RecurrentData
from emotion_nas_tf.training.recurrent_step import make_recurrent_training
from tfrecords_builder.files import read_json, write_json

_DIVERGED_NAME = "diverged.json"


def evaluate_candidate(
    recipe: Recipe,
    data: RecurrentData,
    network_config: RecurrentConfig,
    train_config: RecurrentTrainConfig,
    epochs: int,
    state_dir: Path,
) -> dict[str, Any]:
    """Trains a recipe for some epochs and says how good it is.

    A call that was killed begins again where the call before it ended.

    Args:
      recipe: the cell.
      data: the splits.
      network_config: size of the network; that of a frame is the data's.
      train_config: how; its own number of epochs is ignored.
      epochs: of the whole training, those of earlier calls included.
      state_dir: of this recipe, these data and these settings alone; made
        when it is not there.

    Returns:
      `validation_loss`, the lowest of all epochs so far; `validation_ua` of
      that epoch, and its number, `best_epoch`; `parameters`; `seconds` of all
      calls; `epochs` completed; `diverged`, whether a number stopped being
      finite: the training is then over, and the loss NaN.

    Raises:
      UsageError: when no state of an earlier call can be read.
      WorkError: when the disk is full.
    """
    diverged = state_dir / _DIVERGED_NAME
    if diverged.is_file():
        return {**read_json(diverged), "validation_loss": math.nan}
    num_steps = steps_per_epoch(
        len(data.training.labels), train_config.batch_size
    )
    for step in reversed(Checkpoints(state_dir).steps):
        if step >= epochs * num_steps:
            return read_json(_result_path(state_dir, step // num_steps))
    start = time.monotonic()
    network_config = data.size(network_config)
    config = dataclasses.replace(train_config, epochs=epochs)
    model = make_recurrent_training(recipe, data, network_config, config)
    checkpoints = Checkpoints(
        state_dir,
        network=model.network.variables,
        weights=model.optimizer.variables,
        average=model.average.average.variables if model.average else [],
    )
    first_step = checkpoints.restore()
    best = _Best(
        read_json(_result_path(state_dir, first_step // num_steps))
        if first_step
        else {}
    )
    try:
        run_epochs(
            model,
            lambda step: data.training_batches(network_config, config, step),
            data.validation_batches(network_config, config),
            first_step,
            num_steps,
            epochs,
            [best],
        )
        _check(model.network.variables + model.optimizer.variables)
        is_finite = True
    except _DivergedError:
        is_finite = False
    counts = parameters(network_config, recipe, len(data.label_names))
    before = best.before.get("seconds", 0.0)
    result = {
        **best.result,
        "parameters": counts["total"],
        "seconds": round(before + time.monotonic() - start, 3),
        "epochs": best.epochs,
        "diverged": not is_finite,
    }
    if not is_finite:
        # JSON has no NaN.
        write_json(diverged, {**result, "validation_loss": None})
        return {**result, "validation_loss": math.nan}
    # The state last: without it, these epochs are trained again.
    write_json(_result_path(state_dir, epochs), result)
    checkpoints.save(epochs * num_steps)
    return result


def _result_path(state_dir: Path, epochs: int) -> Path:
    return state_dir / f"after-{epochs}.json"


class _DivergedError(Exception):
    """A number is no longer finite."""


class _Best(keras.callbacks.Callback):
    """The epoch of lowest validation loss.

    Args:
      before: what an earlier call returned; empty for none.

    Raises:
      _DivergedError: while training, when a loss is not finite.
    """

    def __init__(self, before: Mapping[str, Any]):
        super().__init__()
        self.before = before
        self.epochs = before.get("epochs", 0)
        self.result = {
            "validation_loss": before.get("validation_loss", math.inf),
            "validation_ua": before.get("validation_ua"),
            "best_epoch": before.get("best_epoch", 0),
        }

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks at the epoch's running means."""
        _check(logs.values())

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Notes the epoch."""
        _check(logs.values())
        self.epochs = epoch + 1
        if logs["val_loss"] < self.result["validation_loss"]:
            self.result = {
                "validation_loss": logs["val_loss"],
                "validation_ua": logs["val_ua"],
                "best_epoch": epoch + 1,
            }


def _check(values) -> None:
    for value in values:
        if not np.isfinite(keras.ops.convert_to_numpy(value)).all():
            raise _DivergedError
