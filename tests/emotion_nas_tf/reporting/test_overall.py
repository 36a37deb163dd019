"""What the report says about all tests together."""

import re

import pytest
from evaluated_run import add_system, make_run, plain

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting import overall


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def test_pooled_columns_say_how_many_tests_they_are_of(run):
    add_system(run.test(2, "b"), "search", validation="a")
    table = overall.results_tables(results.collect_results(run))
    rows = {
        cells[0]: cells[1:]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table)
        for cells in [
            [plain(c) for c in re.findall(r"<t[hd]>(.*?)</t[hd]>", row)]
        ]
    }
    # Tests of speakers a and b, then the first and the second pooled. Only a
    # test of b, who is second, has a search network.
    name = "search network"
    assert rows[name][0] == rows[name][2] == "-"
    assert rows[name][3] == "50.0 %50.0 %, 50.0 %; 1 test"
    assert rows["found cell, retrained"][2].startswith("87.5 %")


def test_says_plainly_whether_searching_beat_the_lot(run):
    for test, matrix in zip(
        run.tests(), ([[4, 0], [0, 4]], [[2, 0], [0, 2]]), strict=True
    ):
        add_system(test, "random_cell", matrix=matrix)
    content = results.collect_results(run)
    # 6 of 6 and 6 of 6 against 4 and 5: 25 points.
    sentence = (
        "The found cell is 25.0 points behind the drawn one: 2 speakers are "
        "too few to decide whether searching pays."
    )
    assert sentence in plain(overall.summary(content))
    # The same words for a terminal.
    assert sentence in results.format_table(content).replace("\n", " ")


def test_says_that_a_run_holds_no_random_cell(run):
    content = results.collect_results(run)
    sentence = (
        "Search against random: not in this run, which has no random cell"
    )
    assert sentence in plain(overall.summary(content))
    assert sentence in results.format_table(content).replace("\n", " ")


@pytest.mark.parametrize(("num_tests", "shown"), [(2, "0.500"), (1, "-")])
def test_one_speaker_has_no_p_over_speakers(run, num_tests, shown):
    for test, matrix in zip(
        run.tests(), ([[4, 0], [0, 4]], [[2, 0], [0, 2]]), strict=True
    ):
        add_system(test, "random_cell", matrix=matrix)
    for test in run.tests()[num_tests:]:
        test.metrics.unlink()
    table = overall.results_tables(results.collect_results(run))
    row = next(
        row
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table)
        if "against" in row
    )
    assert plain(re.findall(r"<td>(.*?)</td>", row)[2]) == shown
    assert ("cannot be below" in table) == (num_tests > 1)
