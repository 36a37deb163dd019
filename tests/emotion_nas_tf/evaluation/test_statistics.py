"""Intervals and spreads, against scikit-learn, SciPy and known cases."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as oracle

from emotion_nas_tf.evaluation import statistics
from emotion_nas_tf.training import metrics

RESAMPLES = 4000


def _matrices(seed, num_speakers=5, num_classes=3, per_speaker=30):
    """Speakers who are understood unequally well; and all their answers."""
    generator = np.random.default_rng(seed)
    matrices, answers = [], []
    for speaker in range(num_speakers):
        labels = generator.integers(0, num_classes, per_speaker)
        right = generator.random(per_speaker) < 0.4 + 0.1 * speaker
        predictions = np.where(
            right, labels, generator.integers(0, num_classes, per_speaker)
        )
        matrices.append(
            metrics.confusion_matrix(labels, predictions, num_classes)
        )
        answers.append((labels, predictions))
    return np.array(matrices), answers


def test_metrics_of_many_matrices_are_those_of_each():
    matrices, answers = _matrices(0)
    for name, expected in (
        ("ua", oracle.balanced_accuracy_score),
        ("wa", oracle.accuracy_score),
        ("macro_f1", lambda *a: oracle.f1_score(*a, average="macro")),
    ):
        np.testing.assert_allclose(
            statistics.METRICS[name](matrices),
            [expected(*answer) for answer in answers],
        )


def test_absent_classes_and_nobody_at_all():
    matrices = np.array([[[2, 0], [0, 0]], [[0, 0], [0, 0]], [[1, 1], [0, 1]]])
    for name, of_one in (
        ("ua", metrics.unweighted_accuracy),
        ("wa", metrics.weighted_accuracy),
        ("macro_f1", metrics.macro_f1),
    ):
        np.testing.assert_allclose(
            statistics.METRICS[name](matrices),
            [of_one(matrix) for matrix in matrices],
        )


def test_utterances_are_resampled_as_scipy_does():
    """WA is a mean: its interval is that of SciPy's bootstrap of a mean."""
    matrices, answers = _matrices(1)
    right = np.concatenate([labels == p for labels, p in answers])
    expected = stats.bootstrap(
        (right,), np.mean, method="percentile", n_resamples=9999, rng=0
    ).confidence_interval
    found = statistics.pooled_intervals(matrices)["utterances"]
    np.testing.assert_allclose(found["wa"], expected, atol=0.012)


def test_the_mean_over_speakers_is_resampled_as_scipy_does():
    matrices, _ = _matrices(2, num_speakers=12)
    values = statistics.unweighted_accuracy(matrices)
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=9999, rng=0
    ).confidence_interval
    found = statistics.mean_intervals(matrices)["speakers"]
    np.testing.assert_allclose(found["ua"], expected, atol=0.012)


def test_pooled_speakers_by_a_plain_loop():
    """The same draws, a resample at a time, by scikit-learn."""
    matrices, answers = _matrices(3)
    draws = statistics.draw_speakers(5, 200, np.random.default_rng(7))
    values = []
    for counts in draws:
        chosen = np.repeat(np.arange(5), counts)
        labels, predictions = (
            np.concatenate([answers[speaker][i] for speaker in chosen])
            for i in (0, 1)
        )
        values.append(oracle.balanced_accuracy_score(labels, predictions))
    found = statistics.pooled_intervals(matrices, 200, seed=7)["speakers"]
    np.testing.assert_allclose(found["ua"], np.quantile(values, [0.025, 0.975]))


def test_alike_speakers_leave_no_doubt_about_others():
    matrix = np.array([[8, 2], [1, 9]])
    found = statistics.pooled_intervals(np.array([matrix] * 6), RESAMPLES)
    assert found["speakers"]["ua"] == pytest.approx([0.85, 0.85])
    low, high = found["utterances"]["ua"]
    assert low < 0.83 < 0.87 < high


def test_unlike_speakers_leave_more_than_their_utterances_do():
    good, bad = np.diag([20, 20]), np.array([[2, 18], [18, 2]])
    matrices = np.array([good, good, good, bad])
    found = statistics.pooled_intervals(matrices, RESAMPLES)
    widths = {unit: np.ptp(found[unit]["ua"]) for unit in found}
    assert widths["speakers"] > 4 * widths["utterances"]


def test_a_class_absent_from_a_resample_is_left_out():
    """Speaker 2 alone shows class 1, and never gets it right."""
    matrices = np.array([[[9, 0], [0, 0]], [[9, 0], [3, 0]]])
    found = statistics.pooled_intervals(matrices, RESAMPLES)["speakers"]
    # Speaker 1 twice, a quarter of the resamples: UA is 1 of one class.
    assert found["ua"] == pytest.approx([0.5, 1.0])


def test_one_speaker_has_no_interval_over_speakers():
    found = statistics.pooled_intervals(np.array([[[3, 1], [0, 4]]]), RESAMPLES)
    assert found["speakers"] is None
    assert set(found["utterances"]) == {"ua", "wa", "macro_f1"}
    nobody = statistics.pooled_intervals(np.zeros((2, 2, 2), int))
    assert nobody == {"speakers": None, "utterances": None}


def test_a_seed_repeats_itself():
    matrices, _ = _matrices(4)
    for of in (statistics.pooled_intervals, statistics.mean_intervals):
        assert of(matrices, 500, 3) == of(matrices, 500, 3)
        assert of(matrices, 500, 3) != of(matrices, 500, 4)


def test_spread_over_seeds_by_hand():
    assert statistics.spread([0.5, 0.6, 0.7]) == pytest.approx(
        {
            "num_runs": 3,
            "mean": 0.6,
            "standard_deviation": 0.1,
            "lowest": 0.5,
            "highest": 0.7,
        }
    )
    assert statistics.spread([0.5])["standard_deviation"] is None
    with pytest.raises(ValueError, match="at least one"):
        statistics.spread([])


def test_refuses_what_is_not_matrices():
    with pytest.raises(ValueError, match="speakers, K, K"):
        statistics.pooled_intervals(np.zeros((2, 2)))
