"""Numbers that say what alpha does."""

import math

import numpy as np
import pytest

from emotion_nas_tf.search_space.genotype import (
    Genotype,
    genotype_of_strengths,
)
from emotion_nas_tf.search_space.strengths import softmax
from emotion_nas_tf.training import alpha_record
from emotion_nas_tf.training.architecture_watch import (
    alpha_entropy,
    alpha_movement,
    alpha_spread,
    epoch_columns,
    none_strongest,
    ranks_operations,
    spread_by_chance,
    strongest_weight,
)


def test_entropy_of_equal_weights_is_log_8():
    assert alpha_entropy(np.ones((2, 14, 8))) == pytest.approx(math.log(8))


def test_entropy_of_one_operation_is_0():
    strengths = np.zeros((2, 8))
    strengths[:, 3] = 0.7
    assert alpha_entropy(strengths) == pytest.approx(0, abs=1e-12)


def test_entropy_is_the_mean_over_edges():
    strengths = np.ones((2, 8))
    # Two operations share the first edge; all eight the second.
    strengths[0, 2:] = 0
    expected = (math.log(2) + math.log(8)) / 2
    assert alpha_entropy(strengths) == pytest.approx(expected)


def test_movement_is_the_mean_absolute_change():
    initial = np.ones((1, 2, 2))
    now = np.array([[[1.5, 0.5], [1.0, 3.0]]])
    assert alpha_movement(now, initial) == 0.75
    assert alpha_movement(initial, initial) == 0


def test_spread_leaves_none_out():
    logits = np.zeros((2, 1, 8))
    logits[:, :, 0] = 50.0
    assert alpha_spread(logits) == 0
    # Deviations 6, -1 x 6: variance (36 + 6) / 6 = 7 on one of two edges.
    logits[0, 0, 4] = 7.0
    assert alpha_spread(logits) == pytest.approx(math.sqrt(7 / 2))


def test_spread_by_chance_is_that_of_a_random_walk():
    """Adam with gradients that are pure noise, simulated."""
    generator = np.random.default_rng(0)
    initial = 1e-3 * generator.normal(size=(2, 14, 8))
    logits, mean, square = initial.copy(), 0.0, 0.0
    rate, steps = 3e-4, 400
    for step in range(1, steps + 1):
        gradient = generator.normal(size=logits.shape)
        mean = 0.5 * mean + 0.5 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        scale = np.sqrt(square / (1 - 0.999**step))
        logits -= rate * mean / (1 - 0.5**step) / scale
    chance = spread_by_chance(initial, rate, steps)
    assert chance == pytest.approx(math.hypot(1e-3, 0.006), rel=0.05)
    assert alpha_spread(logits) == pytest.approx(chance, rel=0.15)
    assert not ranks_operations(logits, initial, rate, steps)
    # Gradients that agree move an alpha by a rate a step: .12, not .006.
    logits[..., 4:] += rate * steps / 4
    assert ranks_operations(logits, initial, rate, steps)


def test_strongest_weight_and_share_of_none():
    strengths = softmax(
        [
            [5.0, 0, 0, 0, 0, 0, 0, 0],  # `none` is strongest.
            [0, 0, 0, math.log(7), 0, 0, 0, 0],  # 7 / 14
        ]
    )
    lost = 1 / (math.exp(5) + 7)
    assert strongest_weight(strengths) == pytest.approx((lost + 0.5) / 2)
    assert none_strongest(strengths) == 0.5


def test_columns_of_an_epoch_by_hand():
    initial, logits = np.zeros((2, 2, 8)), np.zeros((2, 2, 8))
    logits[0, 0, 3] = math.log(9)  # Skip: 9 / 16; the others 1 / 16.
    logits[0, 1, 0] = math.log(9)  # `none`
    logits[1, :, 5] = 1.0
    strengths = softmax(logits)
    columns = epoch_columns(
        logits, initial, strengths, genotype_of_strengths(*strengths)
    )
    assert columns["normal_skip_weight"] == pytest.approx((9 + 1) / 32)
    assert columns["normal_none_weight"] == pytest.approx((1 + 9) / 32)
    assert columns["normal_none_strongest"] == 0.5
    assert columns["reduction_none_strongest"] == 0
    counts = {
        name: value
        for name, value in columns.items()
        if name.endswith(("connect", "3x3", "5x5")) and value
    }
    assert counts == {
        "normal_skip_connect": 1,
        "normal_max_pool_3x3": 1,
        "reduction_sep_conv_5x5": 2,
    }


def test_alphas_of_a_killed_epoch_are_replaced(tmp_path):
    initial = np.zeros((2, 2, 8), np.float32)
    for epoch, value in ((1, 1.0), (2, 2.0), (3, 9.0), (2, 3.0)):
        logits = np.full_like(initial, value)
        alpha_record.add_epoch(
            tmp_path, epoch, logits, softmax(logits), initial
        )
    record = alpha_record.load_alphas(tmp_path)
    assert record.alphas[:, 0, 0, 0].tolist() == [1.0, 3.0]
    assert record.strengths.shape == (2, 2, 2, 8)
    np.testing.assert_array_equal(record.initial, initial)


def test_stable_epochs_count_back_from_the_end():
    def cell(operation):
        edges = ((operation, 0), ("skip_connect", 1))
        return Genotype(edges, (2,), edges, (2,))

    a, b = cell("max_pool_3x3"), cell("sep_conv_3x3")
    assert alpha_record.stable_epochs([a, b, b]) == 2
    assert alpha_record.stable_epochs([b, a, b]) == 1
    assert alpha_record.stable_epochs([a, a]) == 2
