"""The optimisers against hand-written rules and the reference's numbers."""

import keras
import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.system import build_network
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


@pytest.fixture(scope="module")
def fixture(shared_dir):
    return np.load(shared_dir / "parity/darts_parity_supernet.npz")


def test_adam_equals_three_reference_steps(fixture):
    """With the gradient of a fixed point, as the first step's, recomputed."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        network = load(fixture, "float64")
        optimizer = CoupledAdam(3e-4, weight_decay=1e-3)
        alphas = network.architecture_weights
        optimizer.build(alphas)
        for step in (1, 2, 3):
            apply_first_order(network, optimizer, fixture)
            for cell, alpha in zip(("normal", "reduce"), alphas, strict=True):
                np.testing.assert_allclose(
                    alpha.numpy(),
                    fixture[f"adam_step{step}/alphas_{cell}_f64"],
                    atol=1e-9,
                )
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def test_sgd_equals_two_reference_steps(fixture):
    network = load(fixture, "float32")
    found = published.locations(network)
    weights = network.network_weights
    optimizer = MomentumSGD(0.025, global_clipnorm=5.0)
    optimizer.build(weights)
    set_directions(optimizer, weights, found, fixture)
    x = np.transpose(fixture["x_nchw"], (0, 2, 3, 1)).astype(np.float32)
    y = fixture["y"].astype(np.int32)
    for rate in (0.025, 0.0125):
        optimizer.learning_rate = rate
        with tf.GradientTape() as tape:
            logits = network(x, training=True)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            )
        gradients = tape.gradient(loss, [w.value for w in weights])
        optimizer.apply(gradients, weights)
    wanted = {
        name.removeprefix("sgd_step2/w/"): fixture[name]
        for name in fixture.files
        if name.startswith("sgd_step2/w/")
    }
    assert len(wanted) > 100
    for name, value in wanted.items():
        variable = found[name][0].numpy()
        ours = published.read(found[name], variable, value)
        np.testing.assert_allclose(ours, value, atol=2e-4, err_msg=name)


def load(fixture, dtype):
    network = build_network(NetworkConfig(3, 4), 4, input_shape=(28, 28))
    published.assign(
        published.locations(network),
        {
            name.removeprefix("w/"): fixture[name]
            for name in fixture.files
            if name.startswith("w/")
        },
    )
    network.normal_logits.assign(fixture["alphas_normal"])
    network.reduce_logits.assign(fixture["alphas_reduce"])
    return network


def apply_first_order(network, optimizer, fixture):
    alphas = network.architecture_weights
    x = np.transpose(fixture["x_val_nchw"], (0, 2, 3, 1)).astype(np.float64)
    with tf.GradientTape() as tape:
        logits = network(x, training=True)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                fixture["y_val"].astype(np.int32), logits
            )
        )
    optimizer.apply(tape.gradient(loss, [a.value for a in alphas]), alphas)


def set_directions(optimizer, weights, found, fixture):
    """The published momentum buffers into ours, one edge beside the other."""
    directions = {
        id(weight): direction
        for weight, direction in zip(weights, optimizer.directions, strict=True)
    }
    prefix = "momentum_buffer/"
    buffers = {
        name.removeprefix(prefix): fixture[name]
        for name in fixture.files
        if name.startswith(prefix)
    }
    published.assign(
        {
            name: (directions[id(found[name][0])], *found[name][1:])
            for name in buffers
        },
        buffers,
    )
