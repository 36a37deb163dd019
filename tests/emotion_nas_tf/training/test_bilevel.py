"""One step of the search: who moves, on which batch, by how much."""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.optimizers import MomentumSGD


class TwoVariables(keras.Model):
    """Logits (w * x + alpha, 0): a network with one weight and one alpha."""

    def __init__(self):
        super().__init__()
        self.w = self.add_weight(name="w", shape=(), initializer="ones")
        self.alpha = self.add_weight(
            name="alpha", shape=(), initializer="zeros"
        )
        self.architecture_weights = [self.alpha]
        self.network_weights = [self.w]

    def call(self, x, training=False):
        first = self.w.value * x[:, 0] + self.alpha.value
        return tf.stack([first, tf.zeros_like(first)], -1)

    def architecture_penalty(self):
        return 0.5 * self.alpha.value


def test_alpha_moves_on_validation_then_weight_on_training():
    network = TwoVariables()
    network.build((None, 1))
    model = BilevelSearch(network, [1.0, 1.0])
    model.compile(
        weight_optimizer=keras.optimizers.SGD(0.5),
        architecture_optimizer=keras.optimizers.SGD(0.25),
    )
    train = (tf.constant([[2.0]]), tf.constant([0]))
    validation = (tf.constant([[3.0]]), tf.constant([1]))

    model.train_step((train, validation))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    # d loss / d logit: sigmoid - 1 for class 0, sigmoid for class 1. The
    # weight is still 1 when alpha moves; alpha has moved when the weight does.
    alpha = 0.0 - 0.25 * (sigmoid(1.0 * 3.0 + 0.0) + 0.5)
    weight = 1.0 - 0.5 * 2.0 * (sigmoid(1.0 * 2.0 + alpha) - 1)
    np.testing.assert_allclose(network.alpha.numpy(), alpha, rtol=1e-5)
    np.testing.assert_allclose(network.w.numpy(), weight, rtol=1e-5)


def test_architecture_can_rest():
    network = TwoVariables()
    network.build((None, 1))
    model = BilevelSearch(network, [1.0, 1.0])
    model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.25))
    model.moves_architecture = False
    batch = (tf.constant([[2.0]]), tf.constant([0]))

    results = model.train_step((batch, batch))

    assert network.alpha.numpy() == 0.0
    assert network.w.numpy() > 1.0
    assert results["architecture_loss"] == 0.0


def test_second_order_by_hand():
    network = TwoVariables()
    network.build((None, 1))
    model = BilevelSearch(network, [1.0, 1.0], order="second")
    optimizer = MomentumSGD(0.5, momentum=0.9, weight_decay=0.1)
    model.compile(optimizer, keras.optimizers.SGD(0.25))
    optimizer.directions[0].assign(0.2)
    train = (tf.constant([[2.0]]), tf.constant([0]))
    validation = (tf.constant([[3.0]]), tf.constant([1]))

    tf.function(model.train_step)((train, validation))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    # d L / d alpha of class 0 on the training batch, of class 1 on the other;
    # d L / d w is x times that.
    def training(w, alpha):
        return sigmoid(2 * w + alpha) - 1

    def step(w, alpha):
        return w - 0.5 * (0.9 * 0.2 + 2 * training(w, alpha) + 0.1 * w)

    ahead = sigmoid(3 * step(1.0, 0.0))
    radius = 0.01 / (3 * ahead)
    ends = training(1.0 + 0.01, 0.0) - training(1.0 - 0.01, 0.0)
    gradient = ahead - 0.5 * ends / (2 * radius)
    alpha = -0.25 * (gradient + 0.5)
    np.testing.assert_allclose(network.alpha.numpy(), alpha, rtol=1e-4)
    np.testing.assert_allclose(network.w.numpy(), step(1.0, alpha), rtol=1e-5)


def test_class_weights_scale_the_loss():
    network = TwoVariables()
    network.build((None, 1))
    model = BilevelSearch(network, [0.0, 3.0])
    model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.0))
    only_first = (tf.constant([[2.0]]), tf.constant([0]))

    model.train_step((only_first, only_first))

    np.testing.assert_allclose(network.w.numpy(), 1.0)


def test_network_weights_and_alphas_are_all_there_is():
    network = SearchNetwork(num_cells=3, num_channels=2)
    network(tf.zeros((1, 8, 8, 1)))
    ids = {id(w) for w in network.trainable_weights}
    weights = {id(w) for w in network.network_weights}
    alphas = {id(w) for w in network.architecture_weights}
    assert weights | alphas == ids
    assert not weights & alphas
    assert len(alphas) == 2


def test_a_step_that_xla_compiles_moves_what_an_eager_one_moves():
    generator = np.random.default_rng(0)
    batches = [
        (
            generator.normal(size=(4, 9, 9, 1)).astype(np.float32),
            np.arange(4, dtype=np.int32),
        )
        for _ in range(2)
    ]
    moved = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        network = SearchNetwork(num_channels=2, num_nodes=1, partial_channels=2)
        network(batches[0][0])
        before = [variable.numpy() for variable in network.variables]
        model = BilevelSearch(network, [1.0] * 4)
        model.compile(
            MomentumSGD(0.1), keras.optimizers.SGD(0.1), jit_compile=jit_compile
        )
        if jit_compile:
            model.make_train_function()
            model.train_function(
                iter(tf.data.Dataset.from_tensors(tuple(batches)))
            )
        else:
            model.train_step(tuple(batches))
        moved.append(
            [
                variable.numpy() - value
                for variable, value in zip(
                    network.variables, before, strict=True
                )
            ]
        )
    eager, compiled = moved
    for ours, theirs in zip(compiled, eager, strict=True):
        greatest = np.abs(theirs).max()
        assert greatest > 0
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-2 * greatest)
