"""The paper's tables: its numbers, our counts, and what runs measured."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting.measured import read_run
from emotion_nas_tf.reporting.paper import millions, paper_tables
from emotion_nas_tf.reporting.paper_tables import format_tables
from emotion_nas_tf.run_directory import RunDirectory
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


def test_says_what_a_dash_is_and_which_run_serves_two_rows():
    text = format_tables([], "text").replace("\n", " ")
    assert "A dash: a system of others" in text
    assert "table1_emotionnas and table2_emotionnas differ in --run_dir" in text
    presets = Path(__file__).resolve().parents[3] / "flags/presets"
    first, second = (
        [
            line
            for line in (presets / f"{name}.flags").read_text().splitlines()
            if line.startswith("--") and not line.startswith("--run_dir")
        ]
        for name in ("table1_emotionnas", "table2_emotionnas")
    )
    assert first == second


def test_a_run_stands_in_the_row_of_its_size(tmp_path):
    run = read_run(_run(tmp_path / "small", num_channels=4))
    other = read_run(_run(tmp_path / "wide", "iemocap", num_channels=5))
    text = format_tables([run, other], "markdown")
    rows = _rows(text)
    # Recalls 3/4 and 4/4.
    first = "87.5  search network [1] (EmoDB; L=3, C=4; 72,248 weights)"
    assert rows["(L = 3, C = 4)"][-1] == first
    assert rows["(L = 3, C = 6)"][-1] == "not measured"
    # An ensemble says that it is one.
    for number in (1, 2):
        (run.path / f"fold_2/test_a/spectrogram/member_{number}").mkdir()
    assert read_run(run.path).systems["search"].describe() == (
        "L=3, C=4, mean of 2 networks; 72,248 weights"
    )
    # A branch is one of any size, and says which.
    assert rows["Spectrogram branch"][-1] == (
        f"{first}<br>"
        "87.5  search network [2] (IEMOCAP; L=3, C=5; 72,248 weights)"
    )
    notes = re.findall(r"^\[\d\].*", text, re.MULTILINE)
    assert "EmoDB, not IEMOCAP, 1 test, 8 utterances, chance 50.0 %" in notes[0]
    assert notes[0].endswith("12 epochs of search, 5 of the recurrent stream")
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
    place = lines.index(row) + 1
    assert lines[place].strip() == "(EmoDB; L=3, C=6; 72,248"
    assert lines[place + 1].strip() == "weights)"


def test_weights_are_of_the_networks_that_were_measured(tmp_path):
    """Two tests whose found cells differ, both streams and their fusion."""
    described = results.describe_matrix(np.array([[3, 1], [0, 4]]), LABELS)
    infos = {
        "retrained": {"network": {"num_cells": 3, "num_channels": 4}},
        "recipe": {
            "network": {"num_layers": 1, "hidden_size": 128, "input_size": 64},
            "features": "logmel",
        },
        "fusion": {"fused": ["retrained", "recipe"]},
    }
    weights = {"retrained": 4_828, "recipe": 102_405, "fusion": 107_361}
    run, tests = RunDirectory(tmp_path), []
    for speaker, more in (("a", 976), ("b", 0)):
        systems = {}
        for name, info in infos.items():
            path = run.test(2, speaker).info(name)
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"corpus": "own", **info}))
            # The recurrent cell is the same in both.
            count = weights[name] + (more if name != "recipe" else 0)
            systems[name] = {**described, "parameters": count}
        tests.append({"fold": 2, "test_speaker": speaker, "systems": systems})
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "chance": 0.5,
        "tests": tests,
        "summary": {name: {"pooled": described} for name in infos},
    }
    run.results.write_text(json.dumps(content))
    rows = _rows(format_tables([read_run(tmp_path)], "markdown"))
    found = "(own; L=3, C=4; 4,828 to 5,804 weights)"
    assert rows["(L = 3, C = 4)"][1:] == [
        *("0.07M (72,248)", "58.7", f"87.5  found cell, retrained [1] {found}")
    ]
    recurrent = "(own; L=1, h=128, log-mel; 102,405 weights)"
    for name in ("Wav2vec branch", "(L = 1, h = 128)"):
        assert rows[name][-1] == f"87.5  found recurrent cell [1] {recurrent}"
    assert rows["EmotionNAS (Ours)"][-1] == (
        "87.5  fusion of both streams [1] (own; L=3, C=4; L=1, h=128, log-mel; "
        "107,361 to 108,337 weights)"
    )


def test_refuses_a_run_without_results(tmp_path):
    with pytest.raises(UsageError, match=r"There is no .*results\.json"):
        read_run(tmp_path)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(UsageError, match="schema version"):
        read_run(tmp_path)


def test_refuses_results_of_which_something_is_missing(tmp_path):
    results = _run(tmp_path / "a") / "results.json"
    whole = json.loads(results.read_text())
    read_run(tmp_path / "a")
    for broken in (
        {"schema_version": whole["schema_version"]},
        {**whole, "tests": [{}]},
        {**whole, "summary": {"retrained": {"pooled": {}}}},
        {**whole, "tests": "none"},
    ):
        results.write_text(json.dumps(broken))
        with pytest.raises(UsageError, match=r"results\.json is damaged"):
            read_run(tmp_path / "a")
