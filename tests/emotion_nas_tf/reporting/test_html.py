"""The report: whole, self-contained, and true to what is on disk."""

import csv
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting import elements, sections
from emotion_nas_tf.reporting import html as report
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
    described = results.describe_matrix(np.array(matrix), LABELS)
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": 2,
        "test_speaker": speaker,
        "validation_speaker": "v",
        "label_names": LABELS,
        "fingerprint": "f",
        "systems": {
            "retrained": {
                **described,
                "validation_ua": None,
                "parameters": 72_248,
            }
        },
    }
    test.metrics.write_text(json.dumps(content))


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "demo")
    _add_test(run, "a", [[3, 1], [0, 4]])
    _add_test(run, "b", [[1, 1], [1, 1]])
    run.config.write_text('{"seed": 17}')
    return run


def _read(run):
    return write_report(run).read_text(encoding="utf-8")


def test_says_the_result_beside_chance(run):
    text = html.unescape(_read(run)).replace("\N{NO-BREAK SPACE}", " ")
    # Pooled [[4, 2], [1, 5]]: recalls 4/6 and 5/6; tests 7/8 and 1/2.
    assert "75.0 % over all predictions" in text
    assert "68.8 % as the mean of 2 tests" in text
    assert "guessing among 2 emotions gives 50.0 %" in text
    assert '"seed": 17' in text
    assert "72,248" in text
    assert "c_k = concatenate" in text
    assert "keras " in text


def test_pooled_rows_say_how_many_tests_they_are_of(run):
    path = run.test(2, "b").metrics
    content = json.loads(path.read_text())
    content["systems"]["search"] = content["systems"]["retrained"]
    content["validation_speaker"] = "a"
    path.write_text(json.dumps(content))
    table = sections.results_table(results.collect_results(run))
    text = html.unescape(table).replace("\N{NO-BREAK SPACE}", " ")
    row = re.search(r"<tr[^>]*><th>All predictions.*?</tr>", text)[0]
    assert re.findall(r"\d tests?", row) == ["1 test", "2 tests"]
    # Only a test of speaker b, who is second, has a search network.
    row = re.search(r"<tr[^>]*><th>Sessions' first.*?</tr>", text)[0]
    assert "<td>-</td><td>87.5 %" in row
    row = re.search(r"<tr[^>]*><th>Sessions' second.*?</tr>", text)[0]
    assert row.count("50.0 %, 50.0 %; 1 test") == 2


def test_needs_nothing_beside_it(run):
    page = _read(run)
    parser = _Balance()
    parser.feed(page)
    assert parser.stack == []
    # Two tests: cells, two drawings of alpha, one curve; a pooled matrix.
    assert len(parser.sources) == 2 * 4 + 1
    assert all(s.startswith("data:image/svg+xml") for s in parser.sources)
    assert not re.search(r"https?://", re.sub(r'src="[^"]*"', "", page))


def test_escapes_names(run):
    assert "<sad>" not in _read(run)
    assert elements.table(["<b>"], [["&"]]).count("<b>") == 0


def test_equal_runs_give_equal_pages(run):
    assert _read(run) == _read(run)


def test_a_run_that_has_only_searched_has_a_report_too(run):
    for test in run.tests():
        test.metrics.unlink()
    assert "No test has been evaluated yet" in _read(run)


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
        sections.test_section(test, None)


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
        sections.test_section(test, None)


def test_shows_the_command_that_made_the_run(run):
    lines = report._commands(run, run.tests()).splitlines()
    assert f"python -m emotion_nas_tf.run --run_dir={run.path} --folds=2" in (
        lines
    )
    assert f"python -m tensorboard.main --logdir={run.path}" in lines
    command = "python -m emotion_nas_tf.run --folds=2 --search_epochs=3"
    run.config.write_text(json.dumps({"seed": 1, "command": command}))
    lines = report._commands(run, run.tests()).splitlines()
    assert [line for line in lines if "emotion_nas_tf.run" in line] == [command]
