"""Durations as a person says them."""

import pytest

from tfrecords_builder.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3661, "1 h 01 min"),
    ],
)
def test_durations_are_readable(seconds, text):
    assert duration(seconds) == text
