"""What the watch leaves behind when a search has ended."""

import dataclasses

import pytest
from event_files import read_events, read_text

from emotion_nas_tf.training.architecture_verdict import WatchNumbers
from emotion_nas_tf.training.search_watch import announce

NUMBERS = WatchNumbers(
    epochs=7,
    alpha_steps=70,
    alpha_learning_rate=3e-4,
    spread=0.8,
    chance_spread=0.04,
    strongest_weight=0.4,
    counts={
        "normal": {
            **{"max_pool_3x3": 0, "avg_pool_3x3": 0, "skip_connect": 1},
            "sep_conv_3x3": 7,
        },
    },
    none_strongest=0.25,
    stable_epochs=7,
    search_ua=0.6,
    inherited_ua=0.45,
)


def test_the_end_is_printed_and_shown(tmp_path, capsys):
    announce("search", tmp_path, NUMBERS)
    first, *printed = capsys.readouterr().out.splitlines()
    assert first == "search: what the watch says (! gives concern)"
    events = read_events(tmp_path)
    assert set(events) == {"watch", "watch/derivation_gap"}
    assert read_text(events["watch"][7]).splitlines() == printed
    (line,) = (text for text in printed if "derived" in text)
    assert line.startswith("! ")
    assert "Cutting the other operations costs 15 points" in line
    gap = events["watch/derivation_gap"]
    assert gap == {7: pytest.approx(0.15)}


def test_a_worse_search_network_has_a_gap_below_zero(tmp_path):
    announce("search", tmp_path, dataclasses.replace(NUMBERS, search_ua=0.4))
    (gap,) = read_events(tmp_path)["watch/derivation_gap"].values()
    assert gap == pytest.approx(-0.05)


def test_no_derived_network_has_no_gap(tmp_path):
    announce(
        "search", tmp_path, dataclasses.replace(NUMBERS, inherited_ua=None)
    )
    assert set(read_events(tmp_path)) == {"watch"}
