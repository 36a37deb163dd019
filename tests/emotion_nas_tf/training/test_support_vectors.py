"""The machine that is kept answers as scikit-learn's own."""

import numpy as np
import pytest
from sklearn.svm import SVC

from emotion_nas_tf.training.support_vectors import (
    choose_linear_machine,
    fit_linear_machine,
)


def clouds(seed, num_classes, n=60):
    """Overlapping clouds, of unequal sizes, on unequal scales."""
    generator = np.random.default_rng(seed)
    labels = np.minimum(generator.integers(0, 2 * num_classes, n), 9) % 7
    labels = np.concatenate([np.arange(num_classes), labels % num_classes])
    features = generator.normal(size=(len(labels), 5))
    features[np.arange(len(labels)), labels % 5] += 1.5
    return features * [1, 10, 100, 1e3, 1e4] + 7, labels


@pytest.mark.parametrize("num_classes", [2, 3, 4])
def test_beside_scikit_learn(num_classes):
    features, labels = clouds(0, num_classes)
    machine = fit_linear_machine(features, labels, num_classes, 0.1)
    standardized = (features - features.mean(0)) / features.std(0)
    oracle = SVC(
        kernel="linear",
        C=0.1,
        class_weight="balanced",
        break_ties=num_classes > 2,
    ).fit(standardized, labels)
    others, _ = clouds(1, num_classes)
    expected = oracle.decision_function(
        (others - features.mean(0)) / features.std(0)
    )
    scores = machine.scores(others)
    if num_classes == 2:
        # Two votes and margins of opposite sign.
        answers = (expected > 0).astype(int)
    else:
        np.testing.assert_allclose(scores, expected, rtol=1e-9)
        answers = expected.argmax(1)
    np.testing.assert_array_equal(scores.argmax(1), answers)


def test_missing_and_constant_features_do_no_harm():
    features, labels = clouds(0, 3)
    whole = fit_linear_machine(features, labels, 3, 0.1)
    # One column of nothing, one without variance, a value missing in a third.
    spoilt = np.column_stack(
        [features, np.full(len(labels), np.nan), np.full(len(labels), 4.0)]
    )
    machine = fit_linear_machine(spoilt, labels, 3, 0.1)
    np.testing.assert_allclose(
        machine.scores(spoilt), whole.scores(features), rtol=1e-9
    )
    spoilt[3, 0] = np.nan
    assert np.isfinite(
        fit_linear_machine(spoilt, labels, 3, 0.1).scores(spoilt)
    ).all()


def test_the_validation_speaker_chooses_the_cost():
    training, validation = clouds(0, 3), clouds(1, 3)
    uas = {}
    for cost in (1e-6, 1e-2, 1.0):
        machine = fit_linear_machine(*training, 3, cost)
        answers = machine.scores(validation[0]).argmax(1)
        uas[cost] = np.mean(
            [(answers[validation[1] == k] == k).mean() for k in range(3)]
        )
    machine, cost, ua = choose_linear_machine(
        training, validation, 3, tuple(uas)
    )
    assert ua == pytest.approx(max(uas.values()))
    assert cost == min(c for c in uas if uas[c] == max(uas.values()))
    assert machine.weights.shape == (3, 5)
