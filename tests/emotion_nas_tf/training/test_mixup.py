"""Mixup beside hand calculations and the moments of its distribution."""

import numpy as np
import tensorflow as tf

from emotion_nas_tf.training.mixup import Mixture, draw_mixture


def test_a_mixture_by_hand():
    mixture = Mixture(tf.constant(0.25, tf.float64), tf.constant([1, 2, 0]))
    x = tf.constant([[4.0, 0.0], [8.0, 4.0], [0.0, 8.0]])
    np.testing.assert_allclose(
        mixture.features(x), [[7.0, 3.0], [2.0, 7.0], [3.0, 2.0]]
    )
    loss = mixture.loss(tf.constant(2.0), tf.constant(10.0))
    assert float(loss) == 8.0
    labels = mixture.labels(tf.constant([5, 6, 7]))
    assert labels.numpy().tolist() == [6, 7, 5]


def test_draws_belong_to_seed_and_step():
    def draw(seed, step):
        mixture = draw_mixture(16, 0.4, seed, tf.constant(step))
        return float(mixture.share), mixture.partner.numpy().tolist()

    share, partner = draw(1, 5)
    assert sorted(partner) == list(range(16))
    assert partner != list(range(16))
    assert draw(1, 5) == (share, partner)
    assert draw(1, 6) != (share, partner)
    assert draw(2, 5) != (share, partner)


def test_shares_are_of_the_beta_distribution():
    """Mean 1/2 and variance 1 / (4 (2 alpha + 1)), also for a small alpha."""
    draw = tf.function(
        lambda alpha, step: draw_mixture(2, alpha, 0, step).share
    )
    for alpha in (0.01, 0.4, 3.0):
        shares = np.array(
            [float(draw(alpha, tf.constant(step))) for step in range(600)]
        )
        assert ((shares >= 0) & (shares <= 1)).all()
        # Four standard errors of each.
        variance = 1 / (4 * (2 * alpha + 1))
        assert abs(shares.mean() - 0.5) < 4 * np.sqrt(variance / 600)
        assert abs(shares.var() - variance) < 0.03
