"""`history.csv`: numbers as they were written, or a sentence."""

import pytest

from tfrecords_builder.errors import WorkError
from tfrecords_builder.history import read_history, write_history


def test_reads_what_was_written(tmp_path):
    path = tmp_path / "history.csv"
    rows = [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 3.0}]
    write_history(path, rows)
    # Whole numbers stay whole: a table goes on as it began.
    assert path.read_text().split() == ["epoch,loss", "1,0.1", "2,3.0"]
    again = read_history(path)
    assert again == rows
    assert [type(row["epoch"]) for row in again] == [int, int]
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_no_file_has_no_rows(tmp_path):
    assert read_history(tmp_path / "history.csv") == []


@pytest.mark.parametrize("row", ["1,low", "1", "1,2,3"])
def test_damaged_history_is_named(tmp_path, row):
    path = tmp_path / "history.csv"
    path.write_text(f"epoch,train_loss\n{row}\n")
    with pytest.raises(WorkError, match=r"history\.csv has been changed"):
        read_history(path)
