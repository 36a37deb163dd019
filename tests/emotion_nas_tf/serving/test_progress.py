"""Rates and times on a clock of the test's own."""

import pytest

from emotion_nas_tf.serving.progress import Progress, duration


def test_says_how_far_how_fast_and_how_long_still():
    times = iter([0.0, 4.0, 12.0, 12.0, 40.0])
    said = []
    progress = Progress(100, 10.0, said.append, lambda: next(times))
    progress.add(10, 60.0)
    assert said == []
    progress.add(20, 60.0)
    assert said == [
        "30 of 100 files, 2.5 a second, 10.0 times faster than real time, "
        "about 28 s left"
    ]
    # The last files are the caller's to report.
    progress.add(70, 380.0)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7_500, "2 h 5 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
