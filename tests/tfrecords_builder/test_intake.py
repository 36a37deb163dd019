import json
from pathlib import Path

import pytest

from tfrecords_builder.audio import AudioFacts
from tfrecords_builder.intake import IntakeReport
from tfrecords_builder.utterance import Utterance


def utterance(name, label="sad", speaker="s1"):
    return Utterance(name, Path(f"/audio/{name}.wav"), label, speaker, "1")


def facts(seconds, content, rate=16_000, channels=1, **flags):
    flags = {"clipped": False, "silent": False, "very_quiet": False} | flags
    return AudioFacts(rate, channels, seconds, content, **flags)


ENTRIES = [
    (utterance("a"), facts(1.0, "aa")),
    (utterance("b", "angry"), facts(9.0, "aa", rate=8_000)),
    (utterance("c"), facts(8.0, "cc", channels=2, clipped=True)),
    (utterance("d"), facts(2.0, "dd", silent=True)),
    (utterance("e"), facts(5.0, "ee", very_quiet=True)),
]


def filled(entries):
    report = IntakeReport()
    for entry in entries:
        report.add(*entry)
    report.add_broken(utterance("x"), "empty", "/audio/x.wav: 0 bytes.")
    report.add_broken(utterance("y"), "unreadable", "/audio/y.wav: a letter.")
    return report


def test_counts():
    report = filled(ENTRIES).to_json()
    assert report["files"] == 7
    assert report["usable"] == 5
    assert report["sample_rates_hz"] == {"8000": 1, "16000": 4}
    assert report["channels"] == {"1": 4, "2": 1}
    assert report["duration_seconds"] == {
        "min": 1.0,
        "median": 5.0,
        "mean": 5.0,
        "max": 9.0,
        "total": 25.0,
    }
    # 8.0 s exactly fits.
    assert report["longer_than_clip"] == {
        "clip_seconds": 8.0,
        "count": 1,
        "share": 0.2,
    }
    assert report["flagged"] == {
        "clipped": ["c"],
        "silent": ["d"],
        "very_quiet": ["e"],
    }
    assert report["duplicates"] == [
        {"ids": ["a", "b"], "labels": ["angry", "sad"], "speakers": ["s1"]}
    ]
    assert report["broken_counts"] == {
        "missing": 0,
        "empty": 1,
        "unreadable": 1,
        "not_finite": 0,
    }
    assert report["broken"][1] == {
        "id": "y",
        "path": "/audio/y.wav",
        "reason": "unreadable",
        "message": "/audio/y.wav: a letter.",
    }


def test_order_of_adding_and_json_change_nothing():
    report = filled(ENTRIES).to_json()
    assert filled(ENTRIES[::-1]).to_json() == report
    assert json.loads(json.dumps(report)) == report


def test_table_names_what_a_person_must_see():
    table = filled(ENTRIES).to_table()
    for words in (
        "7, 5 usable",
        "1 x 8000 Hz, 4 x 16000 Hz",
        "1 (20.0 %)",
        "a = b (different labels: angry, sad)",
        "/audio/y.wav: a letter.",
    ):
        assert words in table


def test_long_lists_are_cut_in_the_table_only():
    report = IntakeReport()
    for number in range(13):
        report.add_broken(utterance(f"u{number}"), "missing", "not there")
    assert "and 3 more" in report.to_table()
    assert len(report.to_json()["broken"]) == 13


def test_nothing_at_all_can_be_reported():
    report = IntakeReport()
    assert report.to_json()["duration_seconds"] == {}
    assert "0, 0 usable" in report.to_table()


def test_an_unknown_reason_is_refused():
    with pytest.raises(ValueError, match="reason must be one of"):
        IntakeReport().add_broken(utterance("a"), "odd", "")
