"""Successive halving against tables worked out by hand."""

import pytest

from emotion_nas_tf.recurrent.halving import (
    check_rungs,
    places,
    planned_epochs,
    survivors,
)
from emotion_nas_tf.recurrent.ledger import DIVERGED, FAILED, OK, Evaluation
from tfrecords_builder.errors import UsageError


def row(digest, loss, status=OK, parameters=1):
    return Evaluation(
        *(digest, digest, {}, 0, 3, status, loss, None, parameters, 0.0, 0, "")
    )


@pytest.mark.parametrize(
    ("number", "rungs", "eta", "expected"),
    [
        # 24 * 3 + 8 * 6 + 2 * 18
        (24, (3, 9, 27), 3, 156),
        # 27 * 1 + 9 * 2 + 3 * 6 + 1 * 18
        (27, (1, 3, 9, 27), 3, 81),
        # 5 * 2 + 2 * 2
        (5, (2, 4), 2, 14),
        # One place is always left: 2 * 3 + 1 * 6.
        (2, (3, 9), 3, 12),
        (7, (4,), 2, 28),
    ],
)
def test_planned_epochs_by_hand(number, rungs, eta, expected):
    assert planned_epochs(number, rungs, eta) == expected


def test_who_goes_on_by_hand():
    rows = [
        row("a", 1.3),
        row("b", 1.1),
        row("c", None, DIVERGED),
        row("d", 1.2),
        row("e", 1.1, parameters=9),
        row("f", None, FAILED, None),
        # As good as b, and as large: the digest decides.
        row("a0", 1.1),
    ]
    for order in (rows, rows[::-1]):
        # 7 candidates, places for 3.
        assert [e.digest for e in survivors(order, 2)] == ["a0", "b", "e"]
        assert [e.digest for e in survivors(order, 7)] == ["a0"]
    # Places that nobody is fit for stay empty.
    assert [e.digest for e in survivors(rows[2:4] + rows[5:6], 2)] == ["d"]
    assert not survivors([rows[2]], 2)
    assert places(24, 3) == 8
    assert places(2, 3) == 1


@pytest.mark.parametrize(
    ("rungs", "eta", "match"),
    [
        ((), 3, "must rise.*Received: nothing"),
        ((3, 3), 3, "must rise.*Received: 3,3"),
        ((0, 3), 3, "must rise"),
        ((3, 9), 1, "at least 2"),
    ],
)
def test_rungs_that_are_none_are_refused(rungs, eta, match):
    with pytest.raises(UsageError, match=match):
        check_rungs(rungs, eta)
