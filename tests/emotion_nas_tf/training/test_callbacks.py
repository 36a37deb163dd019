"""What happens around epochs, driven without a model."""

import csv
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


def epoch(history, number, loss, ua):
    history.on_epoch_begin(number - 1)
    history.on_epoch_end(
        number - 1, {**LOGS, "val_loss": float(loss), "val_ua": float(ua)}
    )


def test_history_keeps_the_best_epoch(tmp_path):
    kept = []
    history = callbacks.History(
        tmp_path, 0, keep=lambda: kept.append(len(history.rows))
    )
    assert history.best is None
    for number, (loss, ua) in enumerate(
        [
            (1.0, 0.5),
            (2.0, 0.6),  # Higher UA wins over a lower loss.
            (2.0, 0.6),  # An equal: the earlier epoch stays.
            (1.9, 0.6),  # Equal UA, lower loss.
            (0.1, 0.5),
        ],
        start=1,
    ):
        epoch(history, number, loss, ua)
    assert kept == [1, 2, 4]
    assert history.best["epoch"] == 4


def test_history_file_has_a_row_an_epoch(tmp_path, clock):
    history = callbacks.History(
        tmp_path, 0, keep=lambda: None, columns=lambda: {"alpha_entropy": 2.0}
    )
    for number in (1, 2):
        history.on_epoch_begin(number - 1)
        clock.now += 3.5
        history.on_epoch_end(number - 1, LOGS)
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        [
            *("epoch", "train_loss", "train_ua"),
            *("validation_loss", "validation_ua"),
            *("alpha_entropy", "input_wait", "seconds"),
        ],
        ["1", "1.25", "0.5", "1.5", "0.375", "2.0", "0.01", "3.5"],
        ["2", "1.25", "0.5", "1.5", "0.375", "2.0", "0.01", "3.5"],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_history_drops_rows_after_the_last_checkpoint(tmp_path):
    before = callbacks.History(tmp_path, 0, keep=lambda: None)
    for number, ua in ((1, 0.7), (2, 0.4), (3, 0.9)):
        epoch(before, number, 1.0, ua)

    kept = []
    resumed = callbacks.History(tmp_path, 2, keep=lambda: kept.append(True))
    # Epoch 3 was not checkpointed: its UA counts only when it is made again.
    assert resumed.best["epoch"] == 1
    epoch(resumed, 3, 1.0, 0.6)
    assert kept == []
    rows = callbacks.read_history(tmp_path / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["validation_ua"] for row in rows] == [0.7, 0.4, 0.6]


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


@pytest.mark.parametrize("row", ["1,low", "1", "1,2,3"])
def test_damaged_history_is_named(tmp_path, row):
    path = tmp_path / "history.csv"
    path.write_text(f"epoch,train_loss\n{row}\n")
    with pytest.raises(WorkError, match=r"history\.csv has been changed"):
        callbacks.read_history(path)


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3661, "1 h 01 min"),
    ],
)
def test_durations_are_readable(seconds, text):
    assert callbacks._duration(seconds) == text


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


def test_history_that_lacks_an_epoch_is_named(tmp_path):
    before = callbacks.History(tmp_path, 0, keep=lambda: None)
    epoch(before, 1, 1.0, 0.5)
    with pytest.raises(WorkError, match=r"does not hold the 2 epochs"):
        callbacks.History(tmp_path, 2, keep=lambda: None)
