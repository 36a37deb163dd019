"""What the page says about confidence, and about temperatures."""

import pytest
from evaluated_run import plain

from emotion_nas_tf.reporting.calibration_section import calibration_section

_BINS = [{"num_examples": 4, "confidence": 0.9, "accuracy": 0.75}]


def _said(**calibrations):
    """The page's words for systems of these errors and temperatures."""
    summary = {}
    for system, (ece, ece_after, nll, nll_after, *rest) in calibrations.items():
        summary[system] = {
            "calibration": {
                **{"ece": ece, "ece_after": ece_after, "bins": _BINS},
                **{"nll": nll, "nll_after": nll_after, "temperatures": rest},
            }
        }
    return plain(calibration_section({"summary": summary}))


def test_says_where_a_temperature_is_worth_nothing():
    text = _said(fusion=(0.2, 0.1, 0.9, 0.5, 1.5))
    assert "worth nothing where a fusion was fitted on the same" in text
    assert "worse" not in text
    assert "end of their range" not in text


def test_says_whom_a_temperature_makes_worse():
    text = _said(
        fusion=(0.067, 0.116, 0.456, 1.087, 0.5),
        retrained=(0.09, 0.067, 0.413, 0.447, 0.6),
        lstm=(0.09, 0.095, 0.447, 0.413, 0.6),
    )
    assert (
        "the temperature makes calibration error and log loss worse for "
        "fusion of both streams."
    ) in text
    assert "makes the log loss alone worse for found cell, retrained." in text


@pytest.mark.parametrize(
    ("temperatures", "said"),
    [
        ((0.05000003, 1.0, 0.0503), "fusion of both streams (2 of 3)"),
        ((19.99, 1.0), "fusion of both streams (1 of 2)"),
        ((0.06, 19.0), None),
    ],
)
def test_says_which_temperatures_stand_at_a_bound(temperatures, said):
    text = _said(fusion=(0.2, 0.1, 0.9, 0.5, *temperatures))
    assert ("an end of their range, 0.05 to 20" in text) == bool(said)
    assert said is None or said in text
