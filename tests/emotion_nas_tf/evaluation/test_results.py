"""Results of a run, against hand calculation."""

import json

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError

LABELS = ["angry", "sad"]


def _write_test(
    run, fold, speaker, systems, labels=LABELS, validation="09", front_end="f"
):
    directory = run.test(fold, speaker)
    directory.path.mkdir(parents=True)
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": fold,
        "test_speaker": speaker,
        "validation_speaker": validation,
        "fingerprint": front_end,
        "label_names": labels,
        "systems": {
            name: results.describe_matrix(np.array(matrix), labels)
            for name, matrix in systems.items()
        },
    }
    directory.metrics.write_text(json.dumps(content))


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    # Second in natural order, first in alphabetical order.
    _write_test(run, 10, "10", {"search": [[1, 1], [0, 2]]}, validation="9")
    _write_test(
        run,
        2,
        "08",
        {"retrained": [[3, 1], [0, 4]], "search": [[0, 4], [0, 4]]},
    )
    return run


def test_pools_predictions_and_averages_tests(run):
    summary = results.collect_results(run)["summary"]
    search = summary["search"]
    # Pooled: angry 1 of 6, sad 6 of 6; each test: 3/4 and 1/2.
    assert search["num_tests"] == 2
    assert search["pooled"]["confusion_matrix"] == [[1, 5], [0, 6]]
    assert search["pooled"]["ua"] == pytest.approx((1 / 6 + 1) / 2)
    assert search["pooled"]["wa"] == pytest.approx(7 / 12)
    assert search["mean"]["ua"] == pytest.approx(0.625)
    assert summary["retrained"]["num_tests"] == 1
    assert summary["retrained"]["mean"]["ua"] == pytest.approx(7 / 8)


def test_pools_each_direction_apart(run):
    summary = results.collect_results(run)["summary"]
    first, second = summary["search"]["directions"].values()
    assert list(summary["search"]["directions"]) == ["first", "second"]
    assert first["pooled"]["confusion_matrix"] == [[0, 4], [0, 4]]
    assert second["pooled"]["confusion_matrix"] == [[1, 1], [0, 2]]
    assert (first["num_tests"], second["mean"]["ua"]) == (1, 0.75)
    assert list(summary["retrained"]["directions"]) == ["first"]


def test_tests_come_in_natural_order_and_equal_bytes(run):
    content = results.write_results(run)
    assert [test["fold"] for test in content["tests"]] == [2, 10]
    assert list(content["summary"]) == ["search", "retrained"]
    first = run.results.read_bytes()
    results.write_results(run)
    assert run.results.read_bytes() == first
    assert json.loads(first) == content


def test_table_shows_chance_and_every_test(run):
    table = results.format_table(results.collect_results(run))
    assert "fold 2, speaker 08" in table
    assert "87.5 %" in table
    assert "2 tests, pooled" in table
    assert "1 of second speakers, pooled  search" in table
    assert table.endswith("Chance: 50.0 % (2 classes)")


def test_a_class_nobody_showed_is_null_in_json():
    described = results.describe_matrix(np.array([[2, 0], [0, 0]]), LABELS)
    assert described["recalls"] == {"angry": 1.0, "sad": None}
    assert described["ua"] == 1.0
    json.dumps(described, allow_nan=False)


def test_refuses_a_missing_run(tmp_path):
    with pytest.raises(UsageError, match=r"There is no run in .*missing"):
        results.collect_results(RunDirectory(tmp_path / "missing"))


def test_refuses_a_run_without_evaluated_tests(tmp_path):
    with pytest.raises(UsageError, match=r"emotion_nas_tf\.evaluate"):
        results.collect_results(RunDirectory(tmp_path))


def test_refuses_to_pool_tests_of_other_classes(run):
    _write_test(run, 3, "11", {"search": [[1, 0], [0, 1]]}, ["calm", "sad"])
    with pytest.raises(UsageError, match="cannot be pooled"):
        results.collect_results(run)


def test_refuses_to_pool_tests_of_other_front_ends(run):
    _write_test(run, 3, "11", {"search": [[1, 0], [0, 1]]}, front_end="g")
    with pytest.raises(UsageError, match="different front ends"):
        results.collect_results(run)


def test_refuses_damaged_metrics(run):
    run.test(2, "08").metrics.write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        results.collect_results(run)
