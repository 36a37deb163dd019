"""The choice of a front end by sessions that it is not tested on."""

import itertools

import numpy as np

from benchmarks import front_end

SESSIONS = np.repeat(["1", "2", "3"], 2)
RIGHT, WRONG = np.array([[2, 0], [0, 2]]), np.array([[0, 2], [2, 0]])


def test_a_session_has_no_say_in_its_own_choice(monkeypatch, capsys):
    # "a" hears session 1 alone, "b" the two others.
    heard = {"a": ["1"], "b": ["2", "3"]}

    def matrices(name, sessions, config, num_classes, size):
        return {
            (left_out, session): RIGHT if session in heard[name] else WRONG
            for left_out in itertools.combinations(np.unique(sessions), size)
            for session in left_out
        }

    monkeypatch.setattr(front_end, "matrices", matrices)
    front_end.choose({"a": "a", "b": "b"}, SESSIONS, 2, seeds=2)
    lines = capsys.readouterr().out.splitlines()
    # Sessions 2 and 3 choose for 1; for 2 it is a draw of 1 and 3.
    assert "without 1: b is best (a 0.0, b 100.0)" in lines
    assert "without 2: a is best (a 50.0, b 50.0)" in lines
    assert "without 3: a is best (a 50.0, b 50.0)" in lines
    # Each then fails on the session it was chosen for.
    assert "chosen by others   0.0" in lines
    assert [" ".join(line.split()) for line in lines[-2:]] == [
        "a 33.3",
        "b 66.7",
    ]


def test_every_session_is_left_out_once_with_each_other(monkeypatch):
    trained = []

    def predictions(split, sessions, left_out, config, num_classes):
        trained.append(left_out)
        return {session: np.array([0, 1]) for session in left_out}

    monkeypatch.setattr(front_end, "predictions", predictions)
    split = type("Split", (), {"labels": np.array([0, 1, 1, 0, 0, 0])})
    found = front_end.matrices(split, SESSIONS, None, 2, 2)
    assert trained == [("1", "2"), ("1", "3"), ("2", "3")]
    # True classes in rows: right, the wrong way round, half right.
    np.testing.assert_array_equal(found[("1", "2"), "1"], [[1, 0], [0, 1]])
    np.testing.assert_array_equal(found[("1", "2"), "2"], [[0, 1], [1, 0]])
    np.testing.assert_array_equal(found[("2", "3"), "3"], [[1, 1], [0, 0]])
