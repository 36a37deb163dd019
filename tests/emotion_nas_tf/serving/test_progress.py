"""Rates and times on a clock of the test's own."""

from emotion_nas_tf.serving.progress import Progress


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
