"""Calibration, against closed cases and a plain loop."""

import math

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from emotion_nas_tf.evaluation import calibration


def _pair(logit, shares_right, count=1000):
    """Two classes, every logit alike, a known share of them right."""
    probabilities = softmax([[logit, 0.0]] * count, axis=1)
    labels = np.zeros(count, int)
    labels[round(shares_right * count) :] = 1
    return probabilities, labels


def test_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.45, 0.55]])
    labels = np.array([0, 1, 1, 1])
    # Ten bins: (.8, .9] is right in 1/2 at .9; (.5, .6] in 2/2 at .575.
    expected = 2 / 4 * 0.4 + 2 / 4 * 0.425
    assert calibration.calibration_error(
        probabilities, labels, 10
    ) == pytest.approx(expected)
    bins = calibration.reliability(probabilities, labels, 10)
    assert [b["num_examples"] for b in bins] == [0, 0, 0, 0, 0, 2, 0, 0, 2, 0]
    assert bins[0]["accuracy"] is None


def test_error_is_that_of_a_plain_loop():
    generator = np.random.default_rng(0)
    probabilities = softmax(2 * generator.normal(size=(300, 4)), axis=1)
    labels = generator.integers(0, 4, 300)
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = [
            (p.max(), p.argmax() == y)
            for p, y in zip(probabilities, labels, strict=True)
            if low < p.max() <= low + 1 / 15
        ]
        if inside:
            confidence, right = np.mean(inside, axis=0)
            expected += len(inside) / 300 * abs(confidence - right)
    assert calibration.calibration_error(
        probabilities, labels
    ) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("logit", "share"), [(4.0, 0.8), (1.0, 0.9), (2.0, 0.6)]
)
def test_temperature_of_a_closed_case(logit, share):
    """sigmoid(logit / T) = share: T = logit / log(share / (1 - share))."""
    probabilities, labels = _pair(logit, share)
    temperature = calibration.fit_temperature(probabilities, labels)
    expected = logit / math.log(share / (1 - share))
    assert temperature == pytest.approx(expected, rel=1e-4)
    after = calibration.apply_temperature(probabilities, temperature)
    assert calibration.calibration_error(after, labels) < 1e-4


def test_temperature_is_found_again():
    """Labels drawn from the probabilities, logits then tripled."""
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(4000, 4))
    labels = np.array(
        [generator.choice(4, p=softmax(row)) for row in logits], int
    )
    probabilities = softmax(3 * logits, axis=1)
    temperature = calibration.fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(3, rel=0.06)
    found = calibration.describe_calibration(
        probabilities[:2000], labels[:2000], probabilities[2000:], labels[2000:]
    )
    assert found["ece_after"] < 0.05 < 0.15 < found["ece"]
    assert found["nll_after"] < found["nll"]
    assert found["nll"] == pytest.approx(
        log_loss(labels[:2000], probabilities[:2000])
    )


def test_a_temperature_changes_no_prediction():
    generator = np.random.default_rng(2)
    probabilities = softmax(generator.normal(size=(50, 3)), axis=1)
    after = calibration.apply_temperature(probabilities, 2.5)
    np.testing.assert_array_equal(after.argmax(1), probabilities.argmax(1))
    np.testing.assert_allclose(
        calibration.apply_temperature(probabilities, 1.0), probabilities
    )


def test_a_speaker_always_right_meets_the_bound():
    probabilities, labels = _pair(1.0, 1.0)
    temperature = calibration.fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(calibration.LOWEST_TEMPERATURE, 1e-3)


def test_certainty_and_error_are_finite():
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert math.isfinite(
        calibration.negative_log_likelihood(probabilities, np.array([0, 1]))
    )
    with pytest.raises(ValueError, match="needs utterances"):
        calibration.fit_temperature(np.zeros((0, 2)), np.zeros(0, int))


def test_tests_pooled_are_their_answers_together():
    generator = np.random.default_rng(3)
    parts, every = [], []
    for count in (20, 50):
        answers = softmax(generator.normal(size=(count, 3)), axis=1)
        labels = generator.integers(0, 3, count)
        parts.append(
            calibration.describe_calibration(answers, labels, answers, labels)
        )
        every.append((answers, labels))
    pooled = calibration.pool_calibrations(parts)
    answers, labels = (np.concatenate(v) for v in zip(*every, strict=True))
    assert pooled["ece"] == pytest.approx(
        calibration.calibration_error(answers, labels)
    )
    assert pooled["nll"] == pytest.approx(log_loss(labels, answers))
    assert pooled["temperatures"] == [p["temperature"] for p in parts]
