"""Paired tests, against SciPy's and hand calculation."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from emotion_nas_tf.evaluation import paired_tests


def _answers(seed, gain, num=120, num_speakers=6):
    """Labels, two systems' answers, speakers; the first is better by gain."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, num, p=[0.6, 0.3, 0.1])
    noise = generator.integers(0, 3, (2, num))
    first = np.where(generator.random(num) < 0.5 + gain, labels, noise[0])
    second = np.where(generator.random(num) < 0.5, labels, noise[1])
    speakers = [f"s{i}" for i in generator.integers(0, num_speakers, num)]
    return labels, first, second, speakers


def test_mcnemar_by_hand():
    # 1 and 5 utterances that one alone gets right:
    # p = 2 * (1 + 6) / 2^6.
    first = np.array([1, 0, 0, 0, 0, 0, 1, 0], bool)
    second = np.array([0, 1, 1, 1, 1, 1, 1, 0], bool)
    assert paired_tests.mcnemar(first, second) == {
        "only_first_right": 1,
        "only_second_right": 5,
        "p": pytest.approx(14 / 64),
    }
    assert paired_tests.mcnemar(first, first)["p"] == 1.0


@pytest.mark.parametrize(("seed", "gain"), [(0, 0.0), (1, 0.1), (2, 0.3)])
def test_swapping_utterances_as_scipy_does(seed, gain):
    labels, first, second, speakers = _answers(seed, gain)

    def difference(x, y):
        return balanced_accuracy_score(labels, x) - balanced_accuracy_score(
            labels, y
        )

    expected = stats.permutation_test(
        (first, second),
        difference,
        permutation_type="samples",
        vectorized=False,
        n_resamples=1500,
        rng=0,
    )
    found = paired_tests.compare(labels, first, second, speakers, 3)
    assert found["ua"]["difference"] == pytest.approx(expected.statistic)
    p = found["swapping"]["utterances"]
    # Three standard errors of 1500 draws, and SciPy's two-sided p doubles.
    assert p == pytest.approx(expected.pvalue, abs=0.045)


def test_swapping_speakers_is_exact():
    labels, first, second, speakers = _answers(3, 0.2)
    names = sorted(set(speakers))
    who = np.array([names.index(name) for name in speakers])
    counts = np.bincount(labels)
    right = (first == labels).astype(float) - (second == labels)
    parts = np.bincount(who, right / counts[labels] / 3)
    expected = stats.permutation_test(
        (parts, np.zeros(6)),
        lambda x, y, axis: np.sum(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    found = paired_tests.compare(labels, first, second, speakers, 3)
    assert found["swapping"]["speakers"] == pytest.approx(expected.pvalue)
    assert found["swapping"]["smallest_p"] == 2 / 64


def test_many_signs_are_drawn_and_few_counted():
    # All 14 alike: 2 of 2^14 patterns are as great.
    assert paired_tests.swapping_p(np.ones(13)) == 2 / 2**13
    drawn = paired_tests.swapping_p(np.ones(14), resamples=40_000)
    assert drawn == pytest.approx(2 / 2**14, abs=2e-4)
    assert drawn > 0
    assert paired_tests.swapping_p(np.zeros(5)) == 1.0


def test_the_same_answers_are_no_difference():
    labels, first, _, speakers = _answers(4, 0.2)
    found = paired_tests.compare(labels, first, first, speakers, 3)
    for name in ("ua", "wa"):
        assert found[name]["difference"] == 0
        assert found[name]["intervals"]["speakers"] == [0, 0]
        assert found[name]["intervals"]["utterances"] == [0, 0]
    assert found["swapping"]["utterances"] == 1
    assert found["mcnemar"]["p"] == 1


def test_intervals_of_a_difference_know_that_it_is_paired():
    """Both are wrong on the same utterances, but for a few."""
    labels, _, second, speakers = _answers(5, 0.0, num=300)
    first = second.copy()
    wrong = np.flatnonzero(second != labels)[:12]
    first[wrong] = labels[wrong]
    found = paired_tests.compare(labels, first, second, speakers, 3)["wa"]
    assert found["difference"] == pytest.approx(12 / 300)
    low, high = found["intervals"]["utterances"]
    # Of a mean with 12 ones among 300: its standard error is .0113.
    assert low == pytest.approx(0.04 - 1.96 * 0.0113, abs=0.006)
    assert high == pytest.approx(0.04 + 1.96 * 0.0113, abs=0.006)
    assert found["intervals"]["speakers"][0] > 0


def test_p_values_are_even_where_the_null_holds():
    """Under the null, p is below .05 in at most about 5 % of the cases."""
    p_values = []
    for seed in range(200):
        labels, first, second, speakers = _answers(seed, 0.0, num=80)
        p_values.append(
            paired_tests.compare(
                labels, first, second, speakers, 3, resamples=400
            )["swapping"]["utterances"]
        )
    assert np.mean(np.array(p_values) < 0.05) <= 0.09


def test_holm_by_hand():
    assert paired_tests.holm([0.01, 0.04, 0.03]) == pytest.approx(
        [0.03, 0.06, 0.06]
    )
    assert paired_tests.holm([0.9, 0.8]) == [1.0, 1.0]


def test_one_speaker_and_a_class_never_shown():
    found = paired_tests.compare([0, 0, 1], [0, 0, 1], [0, 1, 0], ["a"] * 3, 4)
    # Of two classes that occur: 1 - (1/2 + 0) / 2.
    assert found["ua"]["difference"] == pytest.approx(0.75)
    assert found["ua"]["intervals"]["speakers"] is None
    assert found["swapping"]["smallest_p"] == 1.0


def test_refuses_answers_to_other_utterances():
    with pytest.raises(ValueError, match="of one length"):
        paired_tests.compare([0, 1], [0], [0, 1], ["a", "a"], 2)
