"""Results of a run, against hand calculation."""

import csv
import json

import numpy as np
import pytest

from emotion_nas_tf.evaluation import calibration, results, statistics
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError

LABELS = ["angry", "sad"]


def _write_test(
    run,
    fold,
    speaker,
    systems,
    labels=LABELS,
    validation="09",
    front_end="f",
    calibrations=None,
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
            name: {
                **results.describe_matrix(np.array(matrix), labels),
                **(calibrations or {}),
            }
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
    assert "UA: unweighted accuracy, the mean of the classes' recalls" in table
    # The result is `retrained`, of one test: [[3, 1], [0, 4]].
    assert "angry                 3    1   75.0 %" in table
    assert "Most frequent: angry heard as sad: 1 of 4." in table.replace(
        "\n", " "
    )
    assert table.endswith("Chance: 50.0 % (2 classes)")


def _write_predictions(run, fold, speaker, labels, **answers):
    path = run.test(fold, speaker).predictions
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["system", "id", "speaker", "label", "predicted"])
        for system, predicted in answers.items():
            for index, values in enumerate(zip(labels, predicted, strict=True)):
                label, answer = (LABELS[value] for value in values)
                writer.writerow(
                    [system, f"u{index}", speaker, label, answer, "1.0"]
                )


def _write_pair(run, fold, speaker, **calibrations):
    """Two systems on 2 angry and 2 sad utterances: 4 and 2 are right."""
    matrices = {"retrained": [[2, 0], [0, 2]], "random_cell": [[1, 1], [1, 1]]}
    _write_test(run, fold, speaker, matrices, calibrations=calibrations)
    _write_predictions(
        run,
        fold,
        speaker,
        [0, 0, 1, 1],
        retrained=[0, 0, 1, 1],
        random_cell=[0, 1, 0, 1],
    )


def test_every_block_of_metrics_has_its_intervals(run):
    summary = results.collect_results(run)["summary"]
    matrices = np.array([[[0, 4], [0, 4]], [[1, 1], [0, 2]]])
    search = summary["search"]
    assert search["pooled"]["intervals"] == statistics.pooled_intervals(
        matrices
    )
    assert search["mean"]["intervals"] == statistics.mean_intervals(matrices)
    # Of two speakers with UA 1/2 and 3/4, as means: the ends are theirs.
    assert search["mean"]["intervals"]["speakers"]["ua"] == [0.5, 0.75]
    assert summary["retrained"]["pooled"]["intervals"]["speakers"] is None


def test_pairs_are_compared_on_the_tests_that_have_both(run):
    _write_pair(run, 3, "11")
    _write_pair(run, 4, "12")
    content = results.write_results(run)
    (pair,) = content["comparisons"]
    assert (pair["first"], pair["second"]) == ("retrained", "random_cell")
    assert (pair["num_tests"], pair["num_examples"]) == (2, 8)
    assert pair["ua"]["difference"] == pytest.approx(0.5)
    # Four of four discordant utterances, two of two speakers.
    assert pair["mcnemar"]["p"] == pair["swapping"]["utterances"] == 2 / 2**4
    assert pair["swapping"]["speakers"] == pair["swapping"]["smallest_p"] == 0.5
    table = results.format_table(content)
    assert "retrained - random_cell  +50.0" in table
    assert "never below 0.500 here" in table.replace("\n", " ")


def test_comparison_needs_the_predictions(run):
    _write_pair(run, 3, "11")
    run.test(3, "11").predictions.unlink()
    with pytest.raises(UsageError, match="Evaluate fold 3 again"):
        results.collect_results(run)


def test_predictions_may_end_in_empty_lines(run):
    _write_pair(run, 3, "11")
    before = results.collect_results(run)
    path = run.test(3, "11").predictions
    path.write_text(path.read_text() + "\n\n")
    assert results.collect_results(run) == before


def test_predictions_of_which_something_is_missing_are_damaged(run):
    _write_pair(run, 3, "11")
    path = run.test(3, "11").predictions
    whole = path.read_text()
    for text in (whole + "random_cell,u4", whole.replace(",predicted", ",x")):
        path.write_text(text)
        with pytest.raises(
            UsageError, match=r"predictions\.csv is damaged .* evaluate again"
        ):
            results.collect_results(run)


def test_refuses_to_compare_answers_to_other_utterances(run):
    _write_pair(run, 3, "11")
    path = run.test(3, "11").predictions
    path.write_text(path.read_text().replace("random_cell,u3", "random_cell,v"))
    with pytest.raises(UsageError, match="different utterances"):
        results.collect_results(run)


def test_calibration_is_pooled_where_every_test_has_it(run):
    answers = np.array([[0.9, 0.1], [0.6, 0.4]])
    measured = calibration.describe_calibration(
        answers, np.array([0, 1]), answers, np.array([0, 1])
    )
    _write_pair(run, 3, "11", calibration=measured)
    _write_pair(run, 4, "12", calibration=measured)
    summary = results.collect_results(run)["summary"]
    pooled = summary["random_cell"]["calibration"]
    # |1 - .9| / 2 + |0 - .6| / 2, in both tests.
    assert pooled["ece"] == pytest.approx(0.35)
    assert summary["retrained"]["calibration"] is None


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


def test_refuses_to_pool_tests_of_other_features_over_time(run):
    for test, mark in zip(run.tests(), ("a", "b"), strict=False):
        content = json.loads(test.metrics.read_text())
        content |= {"sequence_features": "logmel", "sequence_fingerprint": mark}
        test.metrics.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"over time logmel \(b\)"):
        results.collect_results(run)


def test_refuses_to_pool_tests_on_other_records(run):
    for test, mark in zip(run.tests(), ("a", "b"), strict=False):
        content = json.loads(test.metrics.read_text())
        test.metrics.write_text(json.dumps({**content, "records": mark}))
    with pytest.raises(UsageError, match="of different records"):
        results.collect_results(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: "{", "it is not JSON"),
        (lambda content: '{"schema_version": 1}', "no fold and no test_spea"),
        (
            lambda content: content.replace("confusion_matrix", "x"),
            "no metrics of retrained and no metrics of search",
        ),
        (
            lambda content: content.replace("[[3, 1], [0, 4]]", "[[3, 1]]"),
            "no metrics of retrained as",
        ),
    ],
)
def test_refuses_damaged_metrics(run, change, message):
    path = run.test(2, "08").metrics
    path.write_text(change(path.read_text()))
    with pytest.raises(UsageError, match=message):
        results.collect_results(run)


def test_the_table_says_where_a_class_is_missing(tmp_path):
    run = RunDirectory(tmp_path / "run")
    _write_test(run, 3, "b", {"search": [[3, 1], [0, 0]]}, validation="c")
    table = results.format_table(results.collect_results(run))
    assert (
        "Fold 3, speaker b: no utterance of sad; UA is over 1 of 2 classes."
        in table
    )
    assert "75.0 %" in table
