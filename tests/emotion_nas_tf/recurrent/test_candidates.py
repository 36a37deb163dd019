"""The candidate search, with losses from a table instead of a training."""

import dataclasses
import json
import time

import pytest

from emotion_nas_tf.config import CandidateSearchConfig
from emotion_nas_tf.recurrent.candidates import (
    search_candidates,
    search_settings,
)
from emotion_nas_tf.recurrent.generator import generate_pool
from emotion_nas_tf.recurrent.ledger import DIVERGED, FAILED, OK
from emotion_nas_tf.recurrent.pool import Candidate
from emotion_nas_tf.recurrent.trial import Outcome
from tfrecords_builder.errors import UsageError, WorkError

NAN = float("nan")

# Of candidates a to h: the validation loss after 1, 3 and 9 epochs.
TABLE = {
    "a": (1.4, 1.0, 0.9),
    "b": (1.2, 1.1, 0.2),
    "c": (NAN, 0.0, 0.0),
    "d": (1.3, 0.8, 0.7),
    "e": (1.6, 0.1, 0.1),
    "f": (1.5, NAN, 0.0),
    "g": (1.7, 0.3, 0.3),
    "h": (1.8, 0.2, 0.2),
}
CONFIG = CandidateSearchConfig(
    rung_epochs=(1, 3, 9), eta=2, parallel_backend="sequential"
)


def candidates():
    recipes = generate_pool(len(TABLE), 0)
    return [
        Candidate(name, recipe.canonical())
        for name, recipe in zip(TABLE, recipes, strict=True)
    ]


class Looked:
    """Looks losses up; keeps what it was asked."""

    def __init__(self):
        self.asked, self.found = [], {}

    def __call__(self, trial):
        name = trial.candidate.name
        self.asked.append((name, trial.rung))
        # A survivor finds what its earlier rungs left.
        trial.folder.mkdir(parents=True, exist_ok=True)
        notes = trial.folder / "epochs"
        before = notes.read_text().split() if notes.exists() else []
        self.found[name, trial.rung] = before
        notes.write_text(" ".join([*before, str(trial.epochs)]))
        # Mutants are a little better, the largest the most.
        size = len(trial.candidate.recipe.nodes)
        losses = TABLE.get(name, [0.15 - size / 1000] * 3)
        return Outcome(losses[trial.rung], 0.5, 10)


class Slow(Looked):
    """Done in another order than asked."""

    def __call__(self, trial):
        time.sleep(0.02 * (ord(trial.candidate.name[0]) * 7 % 5))
        return super().__call__(trial)


def search(folder, evaluator=None, config=CONFIG, say=lambda line: None):
    first = candidates()
    return search_candidates(
        first,
        evaluator or Looked(),
        config,
        folder,
        search_settings(config, first, {"h": 64}),
        say,
    )


def ledger(folder):
    lines = (folder / "candidates.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def bare(evaluations):
    return [dataclasses.replace(each, seconds=0.0) for each in evaluations]


def test_the_table_by_hand(tmp_path):
    """Four of eight go on (b d a f), then two (d a; f diverges): a or d.

    b would have been best, and e better than all: that is the price.
    """
    evaluator, lines = Looked(), []
    standing = search(tmp_path, evaluator, say=lines.append)
    asked = [{n for n, rung in evaluator.asked if rung == k} for k in range(3)]
    assert asked == [set("abcdefgh"), set("abdf"), set("ad")]
    # Survivors go on from what they left in their folder.
    assert evaluator.found["d", 2] == ["1", "3"]
    assert evaluator.found["f", 1] == ["1"]
    names = "".join(each.name for each in standing)
    # a and d in rung 3; b in rung 2; the rest by rung 1; who diverged last.
    assert names == "dab" + "egh" + "fc"
    assert [standing[0].validation_loss, standing[0].epochs] == [0.7, 9]
    assert [each.status for each in standing[-2:]] == [DIVERGED] * 2
    assert len(ledger(tmp_path)) == 8 + 4 + 2
    assert (tmp_path / "candidates.csv").read_text().count("\n") == 9
    # Trainings that are over take no room.
    assert not (tmp_path / "candidates").exists()
    # 8 * 1 + 4 * 2 + 2 * 6 epochs in all; none is left at the end.
    assert "rung 3: 2 of 2 candidates" in lines[-1]
    assert "about 0 s left" in lines[-1]
    assert "best so far: d, loss 0.7000, UA 50.0 % after 9 epochs" in lines[-1]


def test_workers_and_their_order_change_nothing(tmp_path):
    expected = bare(search(tmp_path / "one"))
    for workers in (2, 5):
        config = dataclasses.replace(
            CONFIG, parallel_backend="threading", num_workers=workers
        )
        folder = tmp_path / str(workers)
        assert bare(search(folder, Slow(), config)) == expected
    orders = [
        [row["name"] for row in ledger(tmp_path / name)]
        for name in ("one", "5")
    ]
    assert orders[0] != orders[1]


def test_a_restart_asks_only_for_what_is_missing(tmp_path):
    expected = bare(search(tmp_path))
    again, lines = Looked(), []
    assert bare(search(tmp_path, again, say=lines.append)) == expected
    assert not again.asked
    assert lines[0] == (
        "rung 1: 8 of 8 candidates were evaluated before, kept."
    )
    # Cut within the third line: two of the first rung are known.
    path = tmp_path / "candidates.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:2]) + rows[2][:33])
    assert bare(search(tmp_path, again)) == expected
    assert len(again.asked) == 14 - 2


def test_other_settings_or_candidates_are_refused(tmp_path):
    search(tmp_path)
    other = dataclasses.replace(CONFIG, rung_epochs=(1, 3, 8))
    with pytest.raises(UsageError, match="a search of other settings"):
        search(tmp_path, config=other)
    first = candidates()
    for settings in (
        search_settings(CONFIG, first, {"h": 128}),
        search_settings(CONFIG, first[1:], {"h": 64}),
    ):
        with pytest.raises(UsageError, match="a search of other settings"):
            search_candidates(
                first, Looked(), CONFIG, tmp_path, settings, lambda line: None
            )
    # The number of workers is no such setting.
    search(tmp_path, config=dataclasses.replace(CONFIG, num_workers=7))


def test_generations_try_changes_of_the_best(tmp_path):
    config = dataclasses.replace(CONFIG, generations=2, mutations=4)
    evaluator = Looked()
    standing = search(tmp_path, evaluator, config)
    first = [n for n, _ in evaluator.asked if "mutation 1" in n]
    assert {name.split(",")[0] for name in first} == {"d"}
    # 4 in the first rung, 2 in the second, 1 in the third.
    assert len(first) == 7
    assert len(evaluator.asked) == 14 + 7 + 7
    assert "mutation" in standing[0].name
    # The same cells when it goes on after the first generation.
    path = tmp_path / "candidates.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rows[:20]))
    assert bare(search(tmp_path, Looked(), config)) == bare(standing)


class Failing(Looked):
    def __call__(self, trial):
        if trial.candidate.name in self.names:
            raise WorkError("the disk is full")
        return super().__call__(trial)

    def __init__(self, names):
        super().__init__()
        self.names = names


def test_a_failure_is_noted_ranked_last_and_tried_again(tmp_path):
    standing = search(tmp_path, Failing("d"))
    assert [each.name for each in standing if each.status == FAILED] == ["d"]
    assert [standing[-1].name, standing[-1].message] == [
        "d",
        "the disk is full",
    ]
    # In its place e went on.
    assert standing[0].name == "e"
    assert search(tmp_path)[0].name == "d"


def test_when_all_fail_the_reason_is_given(tmp_path):
    with pytest.raises(WorkError, match=r"None of 8 candidates.*disk is full"):
        search(tmp_path, Failing("abcdefgh"))
    assert search(tmp_path)[0].status == OK
