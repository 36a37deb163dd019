"""The ledger: what was appended is there after any end of the process."""

import csv
import json
import math

import pytest

from emotion_nas_tf.recurrent.ledger import (
    DIVERGED,
    FAILED,
    OK,
    Evaluation,
    Ledger,
    standing,
    write_table,
)
from emotion_nas_tf.recurrent.recipe_files import built_in
from tfrecords_builder.errors import UsageError

RECIPE = built_in("rnn").to_mapping()


def row(digest, rung=0, loss=1.0, status=OK, parameters=10, **fields):
    finite = status == OK
    return Evaluation(
        **{
            "digest": digest,
            "name": f"cell {digest}",
            "recipe": RECIPE,
            "rung": rung,
            "epochs": (3, 9, 27)[rung],
            "status": status,
            "validation_loss": loss if finite else None,
            "validation_ua": 0.5 if finite else None,
            "parameters": parameters,
            "seconds": 1.5,
            "seed": 0,
            "settings": "s",
            "message": "" if finite else "why",
            **fields,
        }
    )


def write(folder, *rows):
    with Ledger(folder, "s") as ledger:
        for each in rows:
            ledger.append(each)
    return ledger.path


def test_what_was_appended_is_there_again(tmp_path):
    write(tmp_path, row("a"), row("b", status=DIVERGED))
    with Ledger(tmp_path, "s") as ledger:
        assert ledger.evaluations == [row("a"), row("b", status=DIVERGED)]
        assert ledger.result("b", 0).status == DIVERGED
        assert ledger.result("a", 1) is None
        ledger.append(row("a", rung=1))
    with Ledger(tmp_path, "s") as ledger:
        assert ledger.result("a", 1) == row("a", rung=1)


@pytest.mark.parametrize(
    "cut",
    [
        lambda line: line[:1],
        lambda line: line[:40],
        lambda line: line[:-1],
        # What a machine that lost its power may leave.
        lambda line: b"\0" * len(line) + b"\n",
    ],
)
def test_a_last_line_cut_by_a_kill_is_dropped(tmp_path, cut):
    path = write(tmp_path, row("a"), row("ü"))
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    path.write_bytes(whole[:second] + cut(whole[second:]))
    with Ledger(tmp_path, "s") as ledger:
        assert ledger.evaluations == [row("a")]
        assert path.read_bytes() == whole[:second]
        ledger.append(row("ü"))
    assert path.read_bytes() == whole


def test_a_damaged_line_before_the_last_is_named(tmp_path):
    path = write(tmp_path, row("a"), row("b"), row("c"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][5:] + lines[2])
    with (
        pytest.raises(UsageError, match="line 2 of 3 is no evaluation"),
        Ledger(tmp_path, "s"),
    ):
        pass
    # Closed again: it can be mended and opened.
    path.write_bytes(lines[0] + lines[2])
    with Ledger(tmp_path, "s") as ledger:
        assert len(ledger.evaluations) == 2


def test_other_settings_and_a_second_search_are_refused(tmp_path):
    path = write(tmp_path, row("a"))
    before = path.read_bytes()
    with (
        pytest.raises(UsageError, match=r"other settings \(s there, t now\)"),
        Ledger(tmp_path, "t"),
    ):
        pass
    with (
        Ledger(tmp_path, "s"),
        pytest.raises(UsageError, match="Another search is writing"),
        Ledger(tmp_path, "s"),
    ):
        pass
    assert path.read_bytes() == before


def test_a_failure_is_tried_again_and_the_last_word_counts(tmp_path):
    write(tmp_path, row("a", status=FAILED))
    with Ledger(tmp_path, "s") as ledger:
        assert ledger.result("a", 0) is None
        ledger.append(row("a", loss=2.0))
    with Ledger(tmp_path, "s") as ledger:
        assert ledger.evaluations == [row("a", loss=2.0)]


def test_no_number_that_is_not_one_gets_in(tmp_path):
    with (
        Ledger(tmp_path, "s") as ledger,
        pytest.raises(ValueError, match="JSON"),
    ):
        ledger.append(row("a", loss=math.nan))


def test_the_standing_by_hand(tmp_path):
    rows = [
        row("a", 0, 0.9),
        row("b", 0, 0.5),
        row("c", 0, 0.6),
        row("d", 0, status=DIVERGED),
        row("e", 0, 0.1),
        row("f", 0, status=FAILED, parameters=None),
        # Trained for longer, so before those left behind, e's .1 among them.
        row("b", 1, 0.4),
        row("a", 1, 0.4, parameters=9),
        row("c", 1, 0.4),
        # Left the race with a loss that is no number.
        row("e", 1, status=DIVERGED),
    ]
    expected = ["a", "b", "c", "e", "d", "f"]
    for order in (rows, rows[::-1], rows[4:] + rows[:4]):
        assert [each.digest for each in standing(order)] == expected
    write_table(tmp_path, rows)
    with (tmp_path / "candidates.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["digest"] for line in table] == expected
    assert table[0]["place"] == "1"
    assert float(table[0]["validation_loss"]) == 0.4
    assert table[3]["validation_loss"] == ""
    assert json.loads(table[5]["recipe"]) == RECIPE
