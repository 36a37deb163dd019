"""Several runs of one experiment, by hand."""

import json

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.runs import compare_runs
from emotion_nas_tf.evaluation.tables import runs_table
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError

LABELS = ["angry", "sad"]


def _write_answers(run, *rows):
    """(system, label, p of angry) for the utterances u0, u1, ..."""
    lines = ["system,id,speaker,label,predicted,p_angry,p_sad"]
    for index, (system, label, p) in enumerate(rows):
        lines.append(f"{system},u{index},08,{label},?,{p},{1 - p}")
    path = RunDirectory(run).test(2, "08").predictions
    path.write_text("\n".join(lines) + "\n")


def _write_run(path, speaker="08", noted=None, **systems):
    directory = RunDirectory(path).test(2, speaker)
    directory.path.mkdir(parents=True)
    described = {
        name: results.describe_matrix(np.array(matrix), LABELS)
        for name, matrix in systems.items()
    }
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": 2,
        "test_speaker": speaker,
        "validation_speaker": "09",
        "fingerprint": "f",
        "label_names": LABELS,
        "systems": described,
        **(noted or {}),
    }
    directory.metrics.write_text(json.dumps(content))
    return path


def test_mean_and_spread_over_seeds(tmp_path):
    runs = [
        _write_run(tmp_path / "0", search=[[4, 0], [0, 4]]),
        _write_run(
            tmp_path / "1", search=[[4, 0], [4, 0]], retrained=[[1, 0], [0, 1]]
        ),
    ]
    compared = compare_runs(runs)
    ua = compared["systems"]["search"]["pooled"]["ua"]
    # 1 and 1/2: their standard deviation is a half over the root of two.
    assert (ua["mean"], ua["lowest"], ua["num_runs"]) == (0.75, 0.5, 2)
    assert ua["standard_deviation"] == pytest.approx(0.5 / 2**0.5)
    assert compared["tests"] == [[2, "08"]]
    assert compared["left_out"] == ["retrained"]
    assert "75.0 %  35.4  50.0 %  100.0 %     2         -" in runs_table(
        compared
    )


def test_the_ensemble_answers_by_mean_probabilities(tmp_path):
    """Three seeds; the mean of their answers is wrong on the last utterance."""
    labels = ["angry", "angry", "sad", "sad"]
    runs = []
    for seed, answers in enumerate(
        ([0.9, 0.4, 0.1, 0.7], [0.4, 0.8, 0.2, 0.7], [0.6, 0.7, 0.6, 0.2])
    ):
        run = _write_run(tmp_path / str(seed), search=[[1, 1], [1, 1]])
        _write_answers(
            run,
            *(
                ("search", label, p)
                for label, p in zip(labels, answers, strict=True)
            ),
        )
        runs.append(run)
    measured = compare_runs(runs)["systems"]["search"]
    # angry 2 of 2, sad 1 of 2: .1 + .2 + .6 is less than half, 1.6 more.
    assert measured["pooled"]["ua"]["ensemble"] == 0.75
    assert measured["mean"]["wa"]["ensemble"] == 0.75
    assert measured["pooled"]["ua"]["mean"] == 0.5
    # As if the second run had called the last utterance angry.
    predictions = RunDirectory(runs[1]).test(2, "08").predictions
    text = predictions.read_text()
    predictions.write_text(text.replace("u3,08,sad", "u3,08,angry"))
    compared = compare_runs(runs)["systems"]["search"]
    assert compared["pooled"]["ua"]["ensemble"] is None
    predictions.unlink()
    compared = compare_runs(runs)
    assert compared["systems"]["search"]["pooled"]["ua"]["ensemble"] is None
    assert runs_table(compared).splitlines()[1].endswith("3         -")


@pytest.mark.parametrize(
    ("key", "title"),
    [("sequence_fingerprint", "features over time"), ("records", "records")],
)
def test_refuses_runs_on_other_features_or_records(tmp_path, key, title):
    """The spectrogram's front end is the same in all of them."""
    matrix = [[1, 0], [0, 1]]
    one, same, other, unknown = (
        _write_run(tmp_path / name, noted=noted, recipe=matrix)
        for name, noted in {
            "one": {key: "logmel"},
            "same": {key: "logmel"},
            "other": {key: "wav2vec"},
            "unknown": {},
        }.items()
    )
    assert compare_runs([one, same])["systems"]["recipe"]
    # Metrics from before they named it.
    assert compare_runs([one, unknown])["systems"]["recipe"]
    with pytest.raises(
        UsageError, match=rf"{title} wav2vec\) there.* {title} logmel\) here"
    ):
        compare_runs([one, other])


def test_refuses_runs_that_measured_something_else(tmp_path):
    one = _write_run(tmp_path / "0", search=[[1, 0], [0, 1]])
    other = _write_run(tmp_path / "1", "10", search=[[1, 0], [0, 1]])
    with pytest.raises(UsageError, match="fold 2 10"):
        compare_runs([one, other])
    with pytest.raises(UsageError, match="at least two runs, each once"):
        compare_runs([one, one])
    with pytest.raises(UsageError, match="There is no run in"):
        compare_runs([one, tmp_path / "none"])
