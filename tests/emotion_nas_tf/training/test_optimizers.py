"""The optimisers against hand-written rules and the reference's numbers."""

import keras
import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.training.gradients import Batch, differentiate
from emotion_nas_tf.training.optimizers import (
    CoupledAdam,
    MomentumSGD,
    cosine_learning_rate,
)


def test_sgd_keeps_the_rate_out_of_the_direction():
    weight = keras.Variable([1.0, -2.0])
    optimizer = MomentumSGD(0.1, momentum=0.9, weight_decay=0.01)
    optimizer.build([weight])
    expected, direction = np.array([1.0, -2.0]), np.zeros(2)
    for rate, gradient in ((0.1, [0.5, 0.5]), (0.05, [-1.0, 2.0])):
        optimizer.learning_rate = rate
        optimizer.apply([tf.constant(gradient)], [weight])
        direction = 0.9 * direction + np.array(gradient) + 0.01 * expected
        expected = expected - rate * direction
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


def test_clip_leaves_weight_decay_alone():
    weight = keras.Variable([10.0])
    optimizer = MomentumSGD(
        1.0, momentum=0.0, weight_decay=0.1, global_clipnorm=5.0
    )
    optimizer.build([weight])
    optimizer.apply([tf.constant([50.0])], [weight])
    # 10 - (50 clipped to 5, plus 0.1 * 10)
    np.testing.assert_allclose(weight.numpy(), [4.0], rtol=1e-6)


def test_cosine_begins_at_exactly_the_first_rate():
    assert cosine_learning_rate(0, 50, 0.025, 0.001) == 0.025
    assert cosine_learning_rate(25, 50, 0.025, 0.001) == pytest.approx(0.013)
    assert cosine_learning_rate(49, 50, 0.025, 0.001) > 0.001


def test_adam_equals_three_reference_steps(supernet_fixture, double_precision):
    """First-order gradients on one batch; the weights rest."""
    network, _ = published.load_search_network(supernet_fixture)
    optimizer = CoupledAdam(3e-4, weight_decay=1e-3)
    alphas = network.architecture_weights
    optimizer.build(alphas)
    for step in (1, 2, 3):
        found = differentiate(network, batch(supernet_fixture, "_val"), alphas)
        optimizer.apply(found.gradients, alphas)
        for cell, alpha in zip(("normal", "reduce"), alphas, strict=True):
            np.testing.assert_allclose(
                alpha.numpy(),
                supernet_fixture[f"adam_step{step}/alphas_{cell}_f64"],
                rtol=0,
                atol=1e-12,
            )


def test_sgd_equals_two_reference_steps(supernet_fixture, double_precision):
    network, found = published.load_search_network(supernet_fixture)
    weights = network.network_weights
    optimizer = MomentumSGD(0.025, global_clipnorm=5.0)
    optimizer.build(weights)
    published.set_directions(optimizer, network, found, supernet_fixture)
    for step, rate in ((1, 0.025), (2, 0.0125)):
        optimizer.learning_rate = rate
        now = differentiate(network, batch(supernet_fixture), weights)
        for name, value in (
            ("loss_before", now.loss),
            ("grad_norm_before_clip", tf.linalg.global_norm(now.gradients)),
        ):
            np.testing.assert_allclose(
                value, supernet_fixture[f"sgd_step{step}/{name}_f64"], rtol=1e-9
            )
        optimizer.apply(now.gradients, weights)
    directions = published.direction_locations(optimizer, network, found)
    for kind, places in (("w", found), ("momentum", directions)):
        wanted = published.part(supernet_fixture, f"sgd_step2/{kind}/")
        assert len(wanted) > 100
        for name, value in wanted.items():
            np.testing.assert_allclose(
                published.read(places[name], places[name][0].numpy(), value),
                value,
                rtol=0,
                atol=1e-9,
                err_msg=f"{kind} {name}",
            )


def batch(fixture, suffix=""):
    return Batch(*published.batch(fixture, suffix), tf.ones(4, tf.float64))
