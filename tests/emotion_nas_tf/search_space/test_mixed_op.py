"""The mixed operation against its operations, edge by edge."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space import separable
from emotion_nas_tf.search_space.genotype import OPERATION_NAMES
from emotion_nas_tf.search_space.mixed_op import MixedOperation
from emotion_nas_tf.search_space.operations import OPERATIONS
from emotion_nas_tf.search_space.parts import cut, whole

CHANNELS = 4
EDGES = 3


@pytest.fixture
def x():
    generator = np.random.default_rng(0)
    return tf.constant(generator.normal(size=(2, 6, 5, CHANNELS)), tf.float32)


def mixed_and_edges(x, stride):
    """A mixed operation, and each of its edges' operations by itself."""
    mixed = MixedOperation(CHANNELS, stride=stride, num_edges=EDGES)
    mixed(x, tf.zeros((EDGES, 8)))
    generator = np.random.default_rng(1)
    for variable in mixed.non_trainable_variables:
        # Running statistics that tell edges apart.
        variable.assign(generator.uniform(0.5, 2.0, variable.shape))
    edges = []
    for edge in range(EDGES):
        layers = {}
        for name in OPERATION_NAMES:
            layer = OPERATIONS[name](
                channels=CHANNELS, stride=stride, search=True
            )
            layer(x)
            if name in mixed.operations:
                layer.inherit(mixed.operations[name], edge)
            if name.endswith("pool_3x3"):
                # Derived networks, which inherit, normalise no pooling.
                layer.last.inherit(mixed.operations[name].last, edge)
            layers[name] = layer
        edges.append(layers)
    return mixed, edges


def outputs_of(edges, x, training):
    """(edges, operations, batch, frequency, time, channels)."""
    return np.stack(
        [
            [layers[name](x, training=training) for name in OPERATION_NAMES]
            for layers in edges
        ]
    )


@pytest.mark.parametrize(
    ("training", "parts"), [(False, 1), (True, 1), (True, 2)]
)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dense_channels", [0, 24])
def test_equals_the_weighted_sum_of_single_edges(
    x, monkeypatch, dense_channels, stride, training, parts
):
    mixed, edges = mixed_and_edges(x, stride)
    single = outputs_of(edges, x, training)
    weights = tf.nn.softmax(
        np.random.default_rng(2).normal(size=(EDGES, 8)).astype(np.float32)
    )
    expected = np.einsum("to,tobfic->bfitc", weights, single)
    expected = expected.reshape(*expected.shape[:3], EDGES * CHANNELS)

    # 0: depthwise and pointwise, as with many channels; 24: composed.
    for name in (
        "_DENSE_GRADIENT_CHANNELS",
        "_DENSE_STRIDED_GRADIENT_CHANNELS",
    ):
        monkeypatch.setattr(separable, name, dense_channels)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        result = whole(mixed(cut(x, parts), weights, training=training))
        total = tf.reduce_sum(result)
    np.testing.assert_allclose(result, expected, atol=2e-5)

    # d total / d weight: the sum of that operation's output on that edge.
    gradient = tape.gradient(total, weights).numpy()
    np.testing.assert_allclose(
        gradient, single.sum(axis=(2, 3, 4, 5)), atol=1e-3
    )
    np.testing.assert_array_equal(gradient[:, 0], 0)  # `none`

    if training:
        for name, operation in mixed.operations.items():
            ours = operation.non_trainable_variables
            theirs = [e[name].non_trainable_variables for e in edges]
            for index, variable in enumerate(ours):
                np.testing.assert_allclose(
                    variable,
                    np.concatenate([each[index] for each in theirs]),
                    rtol=1e-4,
                    err_msg=name,
                )


@pytest.mark.parametrize("training", [False, True])
def test_all_weight_on_skip_connect_returns_the_input(x, training):
    mixed = MixedOperation(CHANNELS, stride=1, num_edges=EDGES)
    weights = np.zeros((EDGES, 8), np.float32)
    weights[:, OPERATION_NAMES.index("skip_connect")] = 1
    np.testing.assert_array_equal(
        mixed(x, tf.constant(weights), training=training),
        np.tile(x, (1, 1, 1, EDGES)),
    )


def test_equal_logits_give_the_mean_of_the_operations(x):
    mixed, edges = mixed_and_edges(x, 1)
    result = mixed(x, tf.nn.softmax(tf.zeros((EDGES, 8))))
    mean = outputs_of(edges, x, False).mean(axis=1)
    np.testing.assert_allclose(
        result, np.concatenate(list(mean), axis=-1), atol=1e-5
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_reaches_every_kernel(x, stride):
    mixed, _ = mixed_and_edges(x, stride)
    kernels = mixed.trainable_variables
    assert len(kernels) >= 4 + 4 + 2 + 2
    with tf.GradientTape() as tape:
        result = mixed(x, tf.fill((EDGES, 8), 0.125), training=True)
        loss = tf.reduce_sum(result**2)
    for kernel, gradient in zip(
        kernels, tape.gradient(loss, [k.value for k in kernels]), strict=True
    ):
        # Of every edge.
        reached = np.abs(gradient).reshape(EDGES, -1).max(axis=1)
        assert (reached > 0).all(), kernel.path
