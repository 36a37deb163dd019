"""The second-order gradient of alpha against the published numbers."""

import keras
import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.training.gradients import Batch, differentiate
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.second_order import (
    hessian_product,
    second_order_pass,
)

RATE = 0.025


def prepare(fixture, kind):
    network, found = published.load_search_network(fixture)
    optimizer = MomentumSGD(RATE, global_clipnorm=5.0)
    optimizer.build(network.network_weights)
    if kind == "second_order":
        published.set_directions(optimizer, network, found, fixture)
    training, validation = (
        Batch(
            *published.batch(fixture, suffix), tf.ones(4, keras.config.floatx())
        )
        for suffix in ("", "_val")
    )
    return network, found, optimizer, training, validation


def check(fixture, name, gradients, relative):
    for cell, gradient in zip(("normal", "reduce"), gradients, strict=True):
        wanted = fixture[f"{name}_{cell}_f64"]
        np.testing.assert_allclose(
            gradient,
            wanted,
            rtol=0,
            atol=relative * abs(wanted).max(),
            err_msg=f"{name} {cell}",
        )


def check_all(fixture, kind, tight, loose):
    """Every quantity of the virtual step, and the sum.

    `tight` is of one pass' gradients, `loose` of their small difference.
    """
    network, found, optimizer, *batches = prepare(fixture, kind)
    training, validation = batches
    weights, alphas = network.network_weights, network.architecture_weights
    before = [variable.numpy() for variable in network.trainable_variables]

    virtual = optimizer.next_values(
        differentiate(network, training, weights).gradients, weights
    )
    values = {
        id(weight): value.numpy()
        for weight, value in zip(weights, virtual, strict=True)
    }
    unrolled = published.part(fixture, f"{kind}/w_unrolled/")
    assert len(unrolled) > 100 or kind == "second_order_nobuf"
    for name, value in unrolled.items():
        ours = published.read(found[name], values[id(found[name][0])], value)
        np.testing.assert_allclose(
            ours, value, rtol=0, atol=tight, err_msg=name
        )
    there = differentiate(
        network, validation, [*alphas, *weights], weights=virtual
    )
    np.testing.assert_allclose(
        there.loss, fixture[f"{kind}/loss_val_unrolled_f64"], rtol=tight
    )
    check(fixture, f"{kind}/dalpha_unrolled_only", there.gradients[:2], tight)
    direction = there.gradients[2:]
    norm = tf.linalg.global_norm(direction)
    np.testing.assert_allclose(norm, fixture[f"{kind}/v_norm_f64"], rtol=tight)
    product = hessian_product(network, training, direction)
    check(fixture, f"{kind}/hvp", product, loose)
    check(
        fixture,
        f"{kind}/dalpha",
        second_order_pass(network, optimizer, training, validation).gradients,
        loose,
    )
    # Bit for bit: neither the virtual step nor the finite one was taken.
    for variable, value in zip(
        network.trainable_variables, before, strict=True
    ):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("kind", ["second_order", "second_order_nobuf"])
def test_equals_reference(supernet_fixture, double_precision, kind):
    check_all(supernet_fixture, kind, 1e-9, 1e-9)


def test_equals_reference_in_single_precision(supernet_fixture):
    # The difference of two gradients: 2 % off, where ReLUs and poolings
    # change sides in one precision and not in the other.
    check_all(supernet_fixture, "second_order", 3e-3, 5e-2)
