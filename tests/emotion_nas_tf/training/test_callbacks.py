"""What happens around epochs, driven without a model."""

from types import SimpleNamespace

import numpy as np
import pytest

from emotion_nas_tf.config import TrainConfig
from emotion_nas_tf.training import callbacks
from tfrecords_builder.errors import WorkError

LOGS = {
    "loss": 1.25,
    "ua": 0.5,
    "val_loss": 1.5,
    "val_ua": 0.375,
    "input_wait": 0.01,
}


class Clock:
    """Stands in for `time.monotonic`."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(callbacks.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("learning_rate", "expected"),
    [
        # 0.1 + 0.2 (1 + cos(pi epoch / 4)), as torch's CosineAnnealingLR.
        (0.5, [0.5, 0.3 + 0.2 * 2**-0.5, 0.3, 0.3 - 0.2 * 2**-0.5]),
        # Below the schedule's end: not raised to it.
        (0.05, [0.05] * 4),
    ],
)
def test_cosine_schedule_sets_the_rate_of_each_epoch(learning_rate, expected):
    optimizer = SimpleNamespace(learning_rate=None)
    schedule = callbacks.CosineSchedule(
        optimizer,
        TrainConfig(
            epochs=4, learning_rate=learning_rate, final_learning_rate=0.1
        ),
    )
    rates = []
    for number in range(4):
        schedule.on_epoch_begin(number)
        rates.append(optimizer.learning_rate)
    np.testing.assert_allclose(rates, expected)


def test_loss_that_is_not_finite_stops_with_a_sentence(tmp_path):
    watch = callbacks.FiniteLoss(tmp_path)
    watch.on_train_batch_end(0, {"loss": 1.0, "ua": 0.5})
    with pytest.raises(WorkError, match="loss is no longer a finite number"):
        watch.on_train_batch_end(1, {"loss": float("nan"), "ua": 0.5})


def test_validation_loss_that_is_not_finite_stops(tmp_path):
    """The last step of an epoch is seen in the validation alone."""
    watch = callbacks.FiniteLoss(tmp_path)
    watch.on_epoch_end(0, LOGS)
    with pytest.raises(WorkError, match=r"val_loss is no .* \(end of epoch 2"):
        watch.on_epoch_end(1, {**LOGS, "val_loss": float("inf")})


def test_progress_says_rate_and_time_left(clock, capsys):
    progress = callbacks.Progress(
        "search", num_steps=10, epochs=3, first_step=10
    )
    progress.on_train_begin()
    progress.on_epoch_begin(1)
    clock.now += 40  # Compiles: left out of the rate.
    progress.on_train_batch_end(0)
    for batch in range(1, 10):
        clock.now += 2
        progress.on_train_batch_end(batch)
    progress.on_epoch_end(1, LOGS)
    progress.on_epoch_begin(2)
    for batch in range(10):
        clock.now += 2
        progress.on_train_batch_end(batch)
    progress.on_epoch_end(2, LOGS)
    done = (
        "done, training loss 1.250 UA 50.0 %, validation loss 1.500 "
        "UA 37.5 %, 2.00 s a step"
    )
    assert capsys.readouterr().err.splitlines() == [
        "search: going on after epoch 1; 3 epochs of 10 steps; the first step "
        "compiles for up to a minute.",
        # The first line after 15 seconds: 8 steps. 1 + 10 are left.
        "search: epoch 2/3, step 9/10, 2.00 s a step, 22 s left",
        f"search: epoch 2/3 {done}, 20 s left",
        "search: epoch 3/3, step 7/10, 2.00 s a step, 6 s left",
        f"search: epoch 3/3 {done}, 0 s left",
    ]


def test_progress_of_a_single_step_has_no_rate(clock, capsys):
    progress = callbacks.Progress("search", num_steps=1, epochs=1, first_step=0)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(0)
    progress.on_epoch_end(0, LOGS)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("UA 37.5 %, ...")


def test_progress_inside_an_epoch(capsys):
    progress = callbacks.Progress("train", 10, epochs=3, first_step=24)
    progress.on_train_begin()
    assert capsys.readouterr().err.startswith(
        "train: going on after step 4 of epoch 3; 3 epochs of 10 steps; "
    )


def test_waiting_for_data_is_said_once(capsys):
    watch = callbacks.InputWatch("search")
    for epoch_number, share in enumerate((0.05, 0.124, 0.5)):
        watch.on_epoch_end(epoch_number, {"input_wait": share})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "search: 12 % of the time of epoch 2's steps was spent waiting for "
    )
