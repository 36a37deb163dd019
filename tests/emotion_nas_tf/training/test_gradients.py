"""A batch in parts: the same gradients, one part in memory at a time."""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.training.gradients import Batch, differentiate


class Toy(keras.Model):
    """Two weights, no batch normalisation."""

    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(8, activation="tanh")
        self.second = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.second(self.first(x))


def batch(size):
    generator = np.random.default_rng(0)
    return Batch(
        tf.constant(generator.normal(size=(size, 5)), tf.float32),
        tf.constant(generator.integers(0, 3, size), tf.int32),
        tf.constant([0.5, 1.0, 3.0]),
    )


def test_parts_have_the_gradients_of_the_whole():
    network = Toy()
    network(batch(8).features)

    @tf.function
    def run(parts):
        found = differentiate(
            network, batch(8), network.trainable_weights, micro_batches=parts
        )
        return found.loss, found.logits, found.gradients

    whole, parts = run(1), run(4)
    for one, other in zip(
        tf.nest.flatten(whole), tf.nest.flatten(parts), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_running_statistics_move_once():
    """By the mean over the parts: .9 * 0 + .1 * the batch's mean."""
    network = keras.Sequential(
        [
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(3),
        ]
    )
    data = batch(8)
    network(data.features)
    differentiate(network, data, network.trainable_weights, micro_batches=4)
    mean, _ = network.non_trainable_weights
    np.testing.assert_allclose(
        mean, 0.1 * tf.reduce_mean(data.features, 0), atol=1e-6
    )
