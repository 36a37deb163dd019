"""The report: whole, self-contained, and true to what is on disk."""

import csv
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting import elements
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


def test_names_a_damaged_file(run):
    path = run.tests()[0].spectrogram / "alphas.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"alphas\.npz is damaged"):
        write_report(run)
