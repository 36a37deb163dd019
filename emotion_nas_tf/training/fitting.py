"""Epochs that can be killed: what search and training have in common."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.config import RecurrentTrainConfig, TrainConfig
from emotion_nas_tf.networks.system import WEIGHTS_NAME, save_weights
from emotion_nas_tf.training.callbacks import (
    CosineSchedule,
    DivergedError,
    EpochEnd,
    FiniteLoss,
    InputWatch,
    Progress,
    show_progress,
)
from emotion_nas_tf.training.checkpoints import Checkpoints, SaveRegularly
from emotion_nas_tf.training.epochs import run_epochs
from emotion_nas_tf.training.history import History, best_epoch
from emotion_nas_tf.training.loss_scale import SkippedSteps
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.summaries import ScalarSummaries
from tfrecords_builder.files import replacing


def make_weight_optimizer(config: TrainConfig) -> MomentumSGD:
    """The optimiser of omega (paper, section 3.3)."""
    return MomentumSGD(
        config.learning_rate,
        config.momentum,
        config.weight_decay,
        global_clipnorm=config.gradient_clip,
    )


def fit_resumable(
    model: keras.Model,
    network: keras.Model,
    optimizers: Mapping[str, keras.optimizers.Optimizer],
    folder: Path,
    title: str,
    config: TrainConfig | RecurrentTrainConfig,
    num_steps: int,
    batches: Callable[[int], tf.data.Dataset],
    validation: tf.data.Dataset,
    columns: Callable[[], Mapping[str, float]] = dict,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    is_over: Callable[[int], bool] = lambda epochs_completed: False,
    keeps_diverged: bool = False,
) -> dict[str, float]:
    """Runs all steps that are left; keeps the best epoch's weights.

    Afterwards `network` is as its last epoch left it, and the folder holds
    `network.weights.h5` of the epoch with the best validation UA (paper,
    section 3.1), `history.csv`, the last checkpoints and TensorBoard's files.

    Args:
      model: compiled; its steps train `network`.
      network: whose weights are kept.
      optimizers: by name; `weights` follows the cosine schedule where the
        configuration has one.
      folder: of the results.
      title: begins each line of progress.
      config: epochs, rates.
      num_steps: steps of an epoch.
      batches: from the steps completed, of all epochs, to what is left.
      validation: batches measured after every epoch.
      columns: further numbers of an epoch, for `history.csv`.
      callbacks: called after an epoch, before its checkpoint.
      is_over: asked before every epoch, also after a kill, with the epochs
        completed: whether to stop before the last one. It may look at what
        the state and the folder hold, at nothing else.
      keeps_diverged: a loss that stops being finite ends the training where
        an epoch was good, and is said; otherwise it is an error.

    Returns:
      The best epoch's row of `history.csv`.

    Raises:
      UsageError: when no checkpoint can be read.
      WorkError: when a number stops being finite, or the disk is full.
    """
    states = folder / "checkpoints"
    own = {id(variable) for variable in network.variables}
    checkpoints = Checkpoints(
        states,
        network=network.variables,
        **{name: o.variables for name, o in optimizers.items()},
        # Generators of random numbers, say.
        model=[v for v in model.variables if id(v) not in own],
        # Inside an epoch they hold the numbers of its first steps.
        metrics=model.metrics_variables,
    )
    first_step = checkpoints.restore()
    first_epoch = first_step // num_steps

    def best_weights(row: Mapping[str, float]) -> Path:
        # A file an epoch: what an epoch wrote that was then killed must not
        # pass for the weights of the epoch before.
        return states / f"best-{int(row['epoch'])}.weights.h5"

    def forget_older(epoch: int) -> None:
        # The best of the epochs before each checkpoint: should the last one
        # be damaged, an epoch forgotten with it may have been the best.
        wanted = [
            best_weights(best_epoch(before))
            for step in checkpoints.steps
            if (before := history.rows[: step // num_steps])
        ]
        for path in states.glob("best-*.weights.h5"):
            if path not in wanted:
                path.unlink()

    history = History(
        folder,
        first_epoch,
        keep=lambda: save_weights(network, best_weights(history.rows[-1])),
        columns=columns,
    )
    if first_epoch < config.epochs:
        optimizer = optimizers["weights"]
        # Recurrent networks keep one rate, so that more epochs go on where
        # fewer ended.
        schedule = (
            [CosineSchedule(optimizer, config)]
            if isinstance(config, TrainConfig)
            else []
        )
        try:
            run_epochs(
                model,
                batches,
                validation,
                first_step,
                num_steps,
                config.epochs,
                [
                    *schedule,
                    FiniteLoss(folder),
                    Progress(title, num_steps, config.epochs, first_step),
                    InputWatch(title),
                    SkippedSteps(title),
                    history,
                    ScalarSummaries(folder, lambda: _rate(optimizer)),
                    *callbacks,
                    # The epoch is over once its state is written.
                    SaveRegularly(
                        checkpoints, num_steps, config.checkpoint_minutes
                    ),
                    EpochEnd(forget_older),
                ],
                is_over,
            )
        except DivergedError:
            if not keeps_diverged or not history.rows:
                raise
            show_progress(
                f"! {title}: the loss stopped being finite in epoch "
                f"{len(history.rows) + 1}; what was best before is kept."
            )
    with replacing(folder / WEIGHTS_NAME) as temporary:
        shutil.copyfile(best_weights(history.best), temporary)
    return history.best


def _rate(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate now; that of several devices is no plain number."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
