"""`history.csv` and the best epoch, driven without a model."""

import csv
import time

import pytest

from emotion_nas_tf.training.history import History
from tfrecords_builder.errors import WorkError
from tfrecords_builder.history import read_history

LOGS = {
    "loss": 1.25,
    "ua": 0.5,
    "val_loss": 1.5,
    "val_ua": 0.375,
    "input_wait": 0.01,
}


def epoch(history, number, loss, ua):
    history.on_epoch_begin(number - 1)
    history.on_epoch_end(
        number - 1, {**LOGS, "val_loss": float(loss), "val_ua": float(ua)}
    )


def test_history_keeps_the_best_epoch(tmp_path):
    kept = []
    history = History(tmp_path, 0, keep=lambda: kept.append(len(history.rows)))
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


def test_history_file_has_a_row_an_epoch(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    history = History(
        tmp_path, 0, keep=lambda: None, columns=lambda: {"alpha_entropy": 2.0}
    )
    for number in (1, 2):
        history.on_epoch_begin(number - 1)
        now[0] += 3.5
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
    before = History(tmp_path, 0, keep=lambda: None)
    for number, ua in ((1, 0.7), (2, 0.4), (3, 0.9)):
        epoch(before, number, 1.0, ua)

    kept = []
    resumed = History(tmp_path, 2, keep=lambda: kept.append(True))
    # Epoch 3 was not checkpointed: its UA counts only when it is made again.
    assert resumed.best["epoch"] == 1
    epoch(resumed, 3, 1.0, 0.6)
    assert kept == []
    rows = read_history(tmp_path / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["validation_ua"] for row in rows] == [0.7, 0.4, 0.6]


def test_history_that_lacks_an_epoch_is_named(tmp_path):
    before = History(tmp_path, 0, keep=lambda: None)
    epoch(before, 1, 1.0, 0.5)
    with pytest.raises(WorkError, match=r"does not hold the 2 epochs"):
        History(tmp_path, 2, keep=lambda: None)
