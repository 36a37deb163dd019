"""The paper's tables: its numbers, our counts, and what runs measured."""

import json
import re

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting.measured import read_run
from emotion_nas_tf.reporting.paper import millions, paper_tables
from emotion_nas_tf.reporting.paper_tables import format_tables
from tfrecords_builder.errors import UsageError

LABELS = ["angry", "sad"]


def _run(path, corpus="emodb", **size):
    described = {
        **results.describe_matrix(np.array([[3, 1], [0, 4]]), LABELS),
        "validation_ua": 0.5,
        "parameters": 72_248,
    }
    test = path / "fold_2/test_a"
    folder = test / "spectrogram"
    folder.mkdir(parents=True)
    info = {"corpus": corpus, "network": {"num_cells": 3, **size}}
    (folder / "network.json").write_text(json.dumps(info))
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "chance": 0.5,
        "tests": [
            {
                "fold": 2,
                "test_speaker": "a",
                "systems": {"search": described},
            }
        ],
        "summary": {"search": {"pooled": described}},
    }
    (path / "results.json").write_text(json.dumps(content))
    epochs = {"search_epochs": 12, "recurrent_train_epochs": 5}
    (path / "config.json").write_text(json.dumps(epochs))
    return path


def _rows(text):
    """Cells of every table's row by its first cell, from Markdown."""
    return {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }


def test_columns_of_parameters_equal_the_published_ones():
    rows = {
        (table.number, row.name): row
        for table in paper_tables()
        for row in table.rows
        if row.parameters is not None
    }
    printed = {key: row.printed_parameters for key, row in rows.items()}
    assert list(printed.values()) == [
        *("0.13M", "2.23M", "2.36M"),
        *("0.07M", "0.13M", "0.35M", "1.32M"),
        *("0.36M", "2.23M"),
    ]
    ours = {key: millions(row.parameters) for key, row in rows.items()}
    # The paper's fourth row of Table 3 is the number of L = 6.
    misprint = (3, "(L = 8, C = 16)")
    assert ours.pop(misprint) == "1.93M"
    del printed[misprint]
    assert ours == printed
    remark = paper_tables()[2].remark
    assert "L = 6: 1,320,084 (1.32M)" in remark


def test_accuracies_are_the_papers():
    ua = [[row.ua for row in table.rows] for table in paper_tables()]
    assert ua == [
        [62.0, 63.9, 64.2, 66.2, 66.3, 72.8],
        [63.5, 70.3, 72.8],
        [58.7, 63.5, 62.3, 62.1],
        [69.4, 70.3],
    ]


def test_without_runs_nothing_is_measured():
    rows = _rows(format_tables([], "markdown"))
    assert rows["CNN-GRU [6]"] == ["64.2", "-"]
    assert rows["EmotionNAS (Ours)"] == ["72.8", "not measured"]
    assert rows["(L = 3, C = 4)"] == [
        *("0.07M", "0.07M (72,248)", "58.7", "not measured")
    ]


def test_a_run_stands_in_the_row_of_its_size(tmp_path):
    run = read_run(_run(tmp_path / "small", num_channels=4))
    other = read_run(_run(tmp_path / "wide", "iemocap", num_channels=5))
    text = format_tables([run, other], "markdown")
    rows = _rows(text)
    # Recalls 3/4 and 4/4.
    assert rows["(L = 3, C = 4)"][-1] == "87.5  search network [1]"
    assert rows["(L = 3, C = 6)"][-1] == "not measured"
    # A branch is one of any size; the note says which.
    assert rows["Spectrogram branch"][-1] == (
        "87.5  search network [1]<br>87.5  search network [2]"
    )
    notes = re.findall(r"^\[\d\].*", text, re.MULTILINE)
    assert "emodb, not IEMOCAP, 1 test, 8 utterances, chance 50.0 %" in notes[0]
    assert notes[0].endswith(
        "12 epochs of search, 5 of the recurrent stream; L = 3, C = 4; "
        "weights: search network 72,248"
    )
    assert "not IEMOCAP" not in notes[1]


def test_text_fits_a_terminal(tmp_path):
    run = read_run(_run(tmp_path / "a", num_channels=6))
    for line in format_tables([run]).splitlines():
        assert len(line) <= 100
    lines = format_tables([run]).splitlines()
    row = next(line for line in lines if line.startswith("(L = 3, C = 6)"))
    assert re.split(r"\s{2,}", row) == [
        *("(L = 3, C = 6)", "0.13M", "0.13M (132,274)", "63.5", "87.5"),
        "search network [1]",
    ]


def test_refuses_a_run_without_results(tmp_path):
    with pytest.raises(UsageError, match=r"There is no .*results\.json"):
        read_run(tmp_path)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(UsageError, match="schema version"):
        read_run(tmp_path)
