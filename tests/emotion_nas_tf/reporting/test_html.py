"""The report: whole, self-contained, and true to what is on disk."""

import csv
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.calibration import describe_calibration
from emotion_nas_tf.recurrent.recipe_files import built_in, save_recipe
from emotion_nas_tf.reporting import elements, one_test, overall, repeating
from emotion_nas_tf.reporting.html import write_report
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.errors import UsageError

LABELS = ["angry", "<sad>"]


class _Balance(HTMLParser):
    """Checks that every element that opens closes; collects sources."""

    def __init__(self):
        super().__init__()
        self.stack, self.sources = [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def _add_test(run, speaker, matrix):
    test = run.test(2, speaker)
    test.system("retrained").mkdir(parents=True)
    test.genotype.write_text(random_genotype(0).to_json())
    np.savez(
        test.spectrogram / "alphas.npz", alphas=np.zeros((3, 2, 14, 8), "f4")
    )
    with (test.system("retrained") / "history.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "train_loss", "validation_ua"])
        writer.writerows([[1, 1.5, 0.5], [2, 1.0, 0.6]])
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": 2,
        "test_speaker": speaker,
        "validation_speaker": "v",
        "label_names": LABELS,
        "fingerprint": "f",
        "systems": {},
    }
    test.metrics.write_text(json.dumps(content))
    _add_system(test, "retrained", matrix)


def _add_system(test, name, matrix=((1, 1), (1, 1)), validation="v"):
    """A system whose answers make this confusion matrix."""
    matrix = np.array(matrix)
    pairs = [
        pair for pair, count in np.ndenumerate(matrix) for _ in range(count)
    ]
    truths, answers = np.array(pairs).T
    probabilities = np.where(np.eye(2)[answers] > 0, 0.8, 0.2)
    content = json.loads(test.metrics.read_text())
    content["validation_speaker"] = validation
    content["systems"][name] = {
        **results.describe_matrix(matrix, LABELS),
        "validation_ua": None,
        "parameters": 72_248,
        "calibration": describe_calibration(
            probabilities, truths, probabilities, truths
        ),
    }
    test.metrics.write_text(json.dumps(content))
    is_new = not test.predictions.is_file()
    with test.predictions.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["system", "id", "speaker", "label", "predicted"])
        for index, (truth, answer) in enumerate(pairs):
            writer.writerow(
                [name, index, test.test_speaker, LABELS[truth], LABELS[answer]]
            )


def _plain(page):
    """The text of a page."""
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _make_run(folder):
    run = RunDirectory(folder / "demo")
    _add_test(run, "a", [[3, 1], [0, 4]])
    _add_test(run, "b", [[1, 1], [1, 1]])
    run.config.write_text('{"seed": 17}')
    return run


@pytest.fixture
def run(tmp_path):
    return _make_run(tmp_path)


@pytest.fixture
def undrawn(run):
    """A run without cells, alphas and curves: drawings take most time."""
    for test in run.tests():
        test.genotype.unlink()
        (test.spectrogram / "alphas.npz").unlink()
        (test.system("retrained") / "history.csv").unlink()
    return run


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A run whose page is written once, for tests that only read it."""
    return _make_run(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def page(whole_run):
    return _read(whole_run)


def _read(run, records=None):
    return write_report(run, records).read_text(encoding="utf-8")


def test_says_the_result_beside_chance(page):
    text = html.unescape(page).replace("\N{NO-BREAK SPACE}", " ")
    # Pooled [[4, 2], [1, 5]]: recalls 4/6 and 5/6; tests 7/8 and 1/2.
    assert "75.0 % over all predictions" in text
    assert "and 68.8 % as the mean of 2 tests" in text
    assert "guessing among 2 emotions gives 50.0 %" in text
    assert '"seed": 17' in text
    assert "72,248" in text
    assert "c_k = concatenate" in text
    assert "keras " in text


def test_says_what_is_heard_as_what(page):
    text = _plain(page)
    assert (
        "Found cell, retrained: 3 of 12 answers are wrong. Most frequent: "
        "angry heard as <sad>: 2 of 6; <sad> heard as angry: 1 of 6."
    ) in text
    assert "angry4266.7 %" in text


def test_every_number_of_the_results_is_on_the_page(whole_run, page):
    text = _plain(page)
    content = results.collect_results(whole_run)
    values = content["summary"]["retrained"]
    for key in ("ua", "wa", "macro_f1"):
        assert f"{100 * values['pooled'][key]:.1f} %" in text
    for unit in ("speakers", "utterances"):
        low, high = values["pooled"]["intervals"][unit]["ua"]
        assert f"{100 * low:.1f} to {100 * high:.1f}" in text
    error = values["calibration"]["ece"]
    assert f"{100 * error:.1f} %" in text
    for test in content["tests"]:
        for recall in test["systems"]["retrained"]["recalls"].values():
            assert f"{100 * recall:.1f} %" in text


def test_pooled_columns_say_how_many_tests_they_are_of(run):
    _add_system(run.test(2, "b"), "search", validation="a")
    table = overall.results_tables(results.collect_results(run))
    rows = {
        cells[0]: cells[1:]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table)
        for cells in [
            [_plain(c) for c in re.findall(r"<t[hd]>(.*?)</t[hd]>", row)]
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
        _add_system(test, "random_cell", matrix=matrix)
    content = results.collect_results(run)
    # 6 of 6 and 6 of 6 against 4 and 5: 25 points.
    sentence = (
        "The found cell is 25.0 points behind the drawn one: 2 speakers are "
        "too few to decide whether searching pays."
    )
    assert sentence in _plain(overall.summary(content))
    # The same words for a terminal.
    assert sentence in results.format_table(content).replace("\n", " ")


@pytest.mark.parametrize(("num_tests", "shown"), [(2, "0.500"), (1, "-")])
def test_one_speaker_has_no_p_over_speakers(run, num_tests, shown):
    for test, matrix in zip(
        run.tests(), ([[4, 0], [0, 4]], [[2, 0], [0, 2]]), strict=True
    ):
        _add_system(test, "random_cell", matrix=matrix)
    for test in run.tests()[num_tests:]:
        test.metrics.unlink()
    table = overall.results_tables(results.collect_results(run))
    row = next(
        row
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table)
        if "against" in row
    )
    assert _plain(re.findall(r"<td>(.*?)</td>", row)[2]) == shown
    assert ("cannot be below" in table) == (num_tests > 1)


def test_shows_the_recurrent_stream(undrawn):
    test = undrawn.tests()[0]
    test.recurrent.mkdir()
    recipe = built_in("gru")
    save_recipe(recipe, test.recipe)
    text = json.dumps(recipe.to_mapping())
    row = ["gru", "ok", 1, 20, 0.61234, 0.75, 12345, text]
    bad = ["rnn", "diverged", 0, 2, "", "", "", text]
    with (test.recurrent / "candidates.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                *("place", "name", "status", "rung", "epochs"),
                *("validation_loss", "validation_ua", "parameters", "recipe"),
            ]
        )
        writer.writerows([[1, *row], [2, *bad]])
    text = _plain(one_test.test_section(test, None))
    assert "h_new_0 = blend(update_gate, h_prev_0, candidate)" in text
    assert "2 candidates were trained; 1 diverged or failed" in text
    assert "1. gru200.61275.0 %12,345" in text
    assert "2. rnn2diverged--" in text


def test_shows_the_audit_of_the_runs_own_records(undrawn, small_records):
    (small_records / "intake.json").unlink(missing_ok=True)
    text = _plain(_read(undrawn, small_records))
    assert "72 utterances of 4 speakers" in text
    info = undrawn.tests()[0].system("retrained") / "network.json"
    info.write_text('{"records": "of another corpus"}')
    assert "no audit" in _plain(_read(undrawn, small_records))


def test_needs_nothing_beside_it(page):
    parser = _Balance()
    parser.feed(page)
    assert parser.stack == []
    images = [s for s in parser.sources if not s.startswith("#")]
    # Two tests: cells, two drawings of alpha, one curve; intervals, a pooled
    # matrix, a reliability diagram.
    assert len(images) == 2 * 4 + 3
    assert all(s.startswith("data:image/svg+xml") for s in images)
    for link in set(parser.sources) - set(images):
        assert f'id="{link[1:]}"' in page
    assert not re.search(r"https?://", re.sub(r'src="[^"]*"', "", page))


def test_escapes_names(page):
    assert "<sad>" not in page
    assert elements.table(["<b>"], [["&"]]).count("<b>") == 0


def test_equal_runs_give_equal_pages(whole_run, page):
    assert _read(whole_run) == page


def test_a_run_that_has_only_searched_has_a_report_too(undrawn):
    for test in undrawn.tests():
        test.metrics.unlink()
    assert "No test has been evaluated yet" in _read(undrawn)


def test_refuses_a_missing_run(tmp_path):
    with pytest.raises(UsageError, match=r"There is no run in .*nowhere"):
        write_report(RunDirectory(tmp_path / "nowhere"))


def test_refuses_a_run_without_a_test(tmp_path):
    with pytest.raises(UsageError, match="holds no test yet"):
        write_report(RunDirectory(tmp_path))


@pytest.mark.parametrize("part", ["start", "none", "middle"])
def test_names_damaged_alphas(run, part):
    test = run.tests()[0]
    path = test.spectrogram / "alphas.npz"
    content = path.read_bytes()
    path.write_bytes(
        {
            "start": content[: len(content) // 2],
            "none": b"no archive",
            "middle": content.replace(b"\0" * 64, b"\1" * 64, 1),
        }[part]
    )
    test.genotype.unlink()
    with pytest.raises(UsageError, match=r"alphas\.npz is damaged"):
        one_test.test_section(test, None)


@pytest.mark.parametrize(
    "content",
    [
        b"epoch;train_loss\n1;1,5\n",
        b'epoch,train_loss\n1,"1,5"\n',
        b"epoch,train_loss\n1,1,5\n",
        "epoch,train_loss\n1,1.5\n".encode("utf-16"),
    ],
    ids=["semicolons", "decimal comma", "more cells", "UTF-16"],
)
def test_names_a_history_that_a_spreadsheet_saved(run, content):
    test = run.tests()[0]
    path = test.system("retrained") / "history.csv"
    (test.spectrogram / "alphas.npz").unlink()
    path.write_bytes(content)
    test.genotype.unlink()
    with pytest.raises(UsageError, match=r"history\.csv is damaged"):
        one_test.test_section(test, None)


def test_shows_the_command_that_made_the_run(run):
    lines = repeating.commands(run, run.tests()).splitlines()
    assert f"python -m emotion_nas_tf.run --run_dir={run.path} --folds=2" in (
        lines
    )
    assert f"python -m tensorboard.main --logdir={run.path}" in lines
    command = "python -m emotion_nas_tf.run --folds=2 --search_epochs=3"
    run.config.write_text(json.dumps({"seed": 1, "command": command}))
    lines = repeating.commands(run, run.tests()).splitlines()
    assert [line for line in lines if "emotion_nas_tf.run" in line] == [command]
