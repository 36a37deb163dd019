"""The epochs of a search or a training, from any step on.

Keras' `fit` begins at the start of an epoch; a training that was killed goes
on inside one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

INPUT_WAIT = "input_wait"


class InputWait:
    """How much of the time of an epoch's steps is spent waiting for data.

    A batch is asked for when the step before is over, so that all the time
    until it is there is lost. The first step after a start is left out: it
    compiles, and the first batch is not prepared ahead.
    """

    def __init__(self):
        self._first = True
        self.reset()

    def reset(self) -> None:
        """Starts an epoch."""
        self._waited = self._passed = 0.0

    def step(self, batches: Iterator, work: Callable[[Any], Any]) -> Any:
        """Takes the next batch and returns what `work` makes of it."""
        start = time.monotonic()
        batch = next(batches)
        waited = time.monotonic() - start
        result = work(batch)
        if not self._first:
            self._waited += waited
            self._passed += time.monotonic() - start
        self._first = False
        return result

    @property
    def seconds(self) -> float:
        """Seconds of the epoch lost so far."""
        return self._waited

    @property
    def share(self) -> float:
        """Of the time of the epoch's steps; 0 when no step was measured."""
        return self._waited / self._passed if self._passed else 0.0


def run_epochs(
    model: keras.Model,
    batches: Callable[[int], tf.data.Dataset],
    validation: tf.data.Dataset,
    first_step: int,
    num_steps: int,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    is_over: Callable[[int], bool] = lambda epochs_completed: False,
) -> None:
    """Trains and validates until all epochs are done.

    Callbacks see what they see in `fit`; the numbers of an epoch hold
    `input_wait` too, see `InputWait`.

    Args:
      model: compiled. Begun inside an epoch, its metrics are those of the
        steps before.
      batches: from the steps completed to all batches that are left.
      validation: measured after every epoch.
      first_step: steps completed, of all epochs.
      num_steps: steps of an epoch.
      epochs: of the whole training.
      callbacks: called in their order.
      is_over: asked before every epoch, also after a kill, with the epochs
        completed: whether to stop before the last one.
    """
    strategy = model.distribute_strategy
    iterator = iter(
        strategy.experimental_distribute_dataset(batches(first_step))
    )
    validation = strategy.experimental_distribute_dataset(validation)
    model.make_train_function()
    model.make_test_function()
    calls = keras.callbacks.CallbackList(callbacks, model=model)
    wait = InputWait()

    def work(batch: Any) -> dict:
        # Keras takes a list for an iterator, and a batch a step from it.
        logs = model.train_function([batch])
        # Asked for at once: the step is then over.
        return {name: float(value) for name, value in logs.items()}

    calls.on_train_begin()
    epoch, first_step = divmod(first_step, num_steps)
    while epoch < epochs and not is_over(epoch):
        if not first_step:
            model.reset_metrics()
        wait.reset()
        calls.on_epoch_begin(epoch)
        for step in range(first_step, num_steps):
            calls.on_train_batch_begin(step)
            logs = wait.step(iterator, work)
            calls.on_train_batch_end(step, logs)
        logs = _whole(model, logs)
        # Not `evaluate`: it cannot build a model from replicas' unequal parts.
        model.reset_metrics()
        for batch in validation:
            validated = model.test_function([batch])
        calls.on_epoch_end(
            epoch,
            {
                **logs,
                **{
                    f"val_{name}": value
                    for name, value in _whole(model, validated).items()
                },
                INPUT_WAIT: wait.share,
            },
        )
        epoch, first_step = epoch + 1, 0
    calls.on_train_end()


def _whole(model: keras.Model, logs: dict[str, Any]) -> dict[str, float]:
    """A step's numbers, of all replicas: of each, a step knows its part."""
    results = {**logs, **model.get_metrics_result()}
    return {name: float(results[name]) for name in logs}
