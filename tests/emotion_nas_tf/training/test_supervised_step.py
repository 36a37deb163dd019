"""A training step by hand: one linear layer, NumPy beside it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from emotion_nas_tf.training.mixup import draw_mixture
from emotion_nas_tf.training.supervised_step import SupervisedTraining
from emotion_nas_tf.training.weight_average import WeightAverage

RATE = 0.5
FACTORS = np.array([0.5, 1.0, 2.0])


class Tiny(keras.Model):
    """Normalisation without momentum's delay, then one layer."""

    def __init__(self):
        super().__init__()
        self.normalization = keras.layers.BatchNormalization(momentum=0.5)
        self.classifier = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.classifier(
            self.normalization(tf.reshape(x, (-1, 4)), training=training)
        )


def tiny():
    network = Tiny()
    network(tf.zeros((1, 2, 2, 1)))
    return network


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    return [
        (
            generator.normal(size=(6, 2, 2, 1)).astype(np.float32),
            generator.integers(0, 3, 6).astype(np.int32),
        )
        for _ in range(4)
    ]


def compiled(network, **options):
    model = SupervisedTraining(network, FACTORS.tolist(), **options)
    model.compile(optimizer=keras.optimizers.SGD(RATE), jit_compile=False)
    model.optimizer.build(network.trainable_weights)
    return model


def test_mixed_targets_move_the_weights_as_by_hand(data):
    """Zhang et al.'s loss equals cross entropy with the mixed target."""
    x, y = data[0]
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    network(tf.zeros((1, 2, 2, 1)))
    kernel = network.layers[1].kernel.numpy()
    model = compiled(network, mixup=0.7, seed=3)
    logs = model.train_step((tf.constant(x), tf.constant(y)))

    mixture = draw_mixture(6, 0.7, 3, tf.constant(0))
    share, partner = float(mixture.share), mixture.partner.numpy()
    assert 0.01 < share < 0.99
    flat = x.reshape(6, 4)
    mixed = share * flat + (1 - share) * flat[partner]
    # The weight of an utterance's class scales its part of the target.
    rows = FACTORS[y][:, None] * np.eye(3)[y]
    target = share * rows + (1 - share) * rows[partner]
    logits = mixed @ kernel
    loss = -(target * log_softmax(logits, 1)).sum(1).mean()
    np.testing.assert_allclose(float(logs["loss"]), loss, rtol=1e-5)
    slope = target.sum(1, keepdims=True) * softmax(logits, 1) - target
    expected = kernel - RATE * mixed.T @ slope / 6
    found = network.layers[1].kernel.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_average_follows_weights_and_statistics(data):
    """Step by step, as NumPy has it; and it is what is measured."""
    network, average = tiny(), tiny()
    model = compiled(network, average=WeightAverage(network, average, 0.2))
    means = [variable.numpy() for variable in network.variables]
    for mean, variable in zip(means, average.variables, strict=True):
        np.testing.assert_array_equal(mean, variable.numpy())
    step = tf.function(model.train_step)
    for number, batch in enumerate(data, 1):
        step(batch)
        # 2/11, then the decay that was asked for.
        decay = min(0.2, (1 + number) / (10 + number))
        for mean, variable in zip(means, network.variables, strict=True):
            mean *= decay
            mean += (1 - decay) * variable.numpy()
    assert len(means) == 6
    for mean, variable in zip(means, average.variables, strict=True):
        np.testing.assert_allclose(mean, variable.numpy(), rtol=1e-5)
    assert model.kept is average
    x, y = data[0]
    model.reset_metrics()
    logs = model.test_step((x, y))
    losses = keras.losses.sparse_categorical_crossentropy(
        y, average(x), from_logits=True
    )
    np.testing.assert_allclose(
        float(logs["loss"]), np.mean(FACTORS[y] * losses), rtol=1e-5
    )


def test_without_options_the_network_itself_is_kept(data):
    network = tiny()
    model = compiled(network)
    assert model.kept is network
    ids = [id(variable) for variable in model.variables]
    assert len(ids) == len(set(ids))
