"""What a search is told before its epochs and steps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.search_space.penalties import make_penalties
from emotion_nas_tf.search_space.relaxation import make_relaxation
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.search_schedule import SearchSchedule


class OneOfEach(keras.Model):
    """Logits (w * x + alpha, 0)."""

    def __init__(self):
        super().__init__()
        self.w = self.add_weight(name="w", shape=(), initializer="ones")
        self.alpha = self.add_weight(name="alpha", shape=(1, 2))
        self.architecture_weights = [self.alpha]
        self.network_weights = [self.w]
        self.relaxation = make_relaxation("gumbel")
        self.penalties = make_penalties(2.0, 0.0)

    def architecture_penalty(self):
        return tf.zeros(())

    def call(self, x, training=False):
        first = self.w.value * x[:, 0] + self.alpha.value[0, 0]
        return tf.stack([first, tf.zeros_like(first)], -1)


@pytest.fixture
def search():
    model = BilevelSearch(OneOfEach(), [1.0, 1.0])
    model.network.build((None, 1))
    model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.5))
    return model


def run(search, first_epoch, num_steps=2):
    """Two epochs; alpha and the weight after each."""
    config = SearchConfig(epochs=3, architecture_warm_up_epochs=1)
    schedule = SearchSchedule(search, config, num_steps)
    batch = (tf.constant([[2.0]]), tf.constant([0]))
    search.make_train_function()
    seen = []
    for epoch in (first_epoch, first_epoch + 1):
        schedule.on_epoch_begin(epoch)
        for step in range(num_steps):
            schedule.on_train_batch_begin(step)
            search.train_function([(batch, batch)])
        network = search.network
        seen.append((network.alpha.numpy().copy(), network.w.numpy().copy()))
    return seen


def test_warm_up_moves_the_weights_alone(search):
    start = search.network.alpha.numpy().copy()
    (alpha, weight), (later, _) = run(search, 0)
    np.testing.assert_array_equal(alpha, start)
    assert weight != 1
    assert later[0, 0] != start[0, 0]


def test_search_that_goes_on_after_its_warm_up_moves_alpha(search):
    start = search.network.alpha.numpy().copy()
    (alpha, _), _ = run(search, 1)
    assert alpha[0, 0] != start[0, 0]
    # It ended in the second step of the last epoch.
    network = search.network
    assert network.relaxation.step.numpy() == 2 * 2 + 1
    assert float(network.relaxation.temperature) == pytest.approx(0.1)
    assert float(network.penalties[0].now) == 2.0
