"""The report: whole, self-contained, and true to what is on disk."""

import csv
import html
import json
import re
from html.parser import HTMLParser

import pytest
from evaluated_run import make_run, plain

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.recurrent.recipe_files import built_in, save_recipe
from emotion_nas_tf.reporting import elements, one_test, repeating
from emotion_nas_tf.reporting.html import write_report
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError


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


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


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
    return make_run(tmp_path_factory.mktemp("whole"))


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
    text = plain(page)
    assert (
        "Found cell, retrained: 3 of 12 answers are wrong. Most frequent: "
        "angry heard as <sad>: 2 of 6; <sad> heard as angry: 1 of 6."
    ) in text
    assert "angry4266.7 %" in text


def test_every_number_of_the_results_is_on_the_page(whole_run, page):
    text = plain(page)
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
    text = plain(one_test.test_section(test, None))
    assert "h_new_0 = blend(update_gate, h_prev_0, candidate)" in text
    assert "2 candidates were trained; 1 diverged or failed" in text
    assert "1. gru200.61275.0 %12,345" in text
    assert "2. rnn2diverged--" in text


def test_shows_the_audit_of_the_runs_own_records(undrawn, small_records):
    (small_records / "intake.json").unlink(missing_ok=True)
    text = plain(_read(undrawn, small_records))
    assert "72 utterances of 4 speakers" in text
    info = undrawn.tests()[0].system("retrained") / "network.json"
    info.write_text('{"records": "of another corpus"}')
    assert "no audit" in plain(_read(undrawn, small_records))


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
    assert "# No command was noted." in lines
    assert not any("emotion_nas_tf.run" in line for line in lines)
    assert f"python -m tensorboard.main --logdir={run.path}" in lines
    command = "python -m emotion_nas_tf.run --folds=2 --search_epochs=3"
    run.config.write_text(json.dumps({"seed": 1, "command": command}))
    lines = repeating.commands(run, run.tests()).splitlines()
    assert [line for line in lines if "emotion_nas_tf.run" in line] == [command]


def test_says_which_runs_answer_together(run):
    run.config.write_text(
        json.dumps({"program": "ensemble", "run_dirs": ["seed/0", "seed/1"]})
    )
    page = write_report(run).read_text()
    first, _ = page.split("<h2", 1)
    assert "the mean of 2 networks, one of each of seed/0, seed/1" in first
    run.config.write_text(json.dumps({"program": "run"}))
    assert "Several runs" not in write_report(run).read_text()
