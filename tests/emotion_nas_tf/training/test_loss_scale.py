"""The factor of the loss in half precision: when it moves, what it stops."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.system import build_network
from emotion_nas_tf.training import loss_scale
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.loss_scale import LossScale, SkippedSteps
from emotion_nas_tf.training.optimizers import CoupledAdam, MomentumSGD
from tfrecords_builder.errors import WorkError


class Half(keras.Model):
    """Logits (w * x + alpha, 0), of which w * x is calculated in float16."""

    def __init__(self):
        super().__init__(dtype="mixed_float16")
        self.w = self.add_weight(name="w", shape=(), initializer="ones")
        self.alpha = self.add_weight(
            name="alpha", shape=(), initializer="zeros", autocast=False
        )
        self.architecture_weights = [self.alpha]
        self.network_weights = [self.w]

    def call(self, x, training=False):
        product = self.w.value * x[:, 0]
        first = tf.cast(product, tf.float32) + self.alpha.value
        return tf.stack([first, tf.zeros_like(first)], -1)

    def architecture_penalty(self):
        return tf.constant(0.0)


def test_factor_follows_the_steps(monkeypatch):
    monkeypatch.setattr(loss_scale, "STEPS_TO_GROW", 3)
    scale = LossScale()
    factors = []
    for finite in (False, True, True, True, True, True, False, True):
        scale.update(tf.constant(finite))
        factors.append(float(scale.factor) / loss_scale.FIRST_SCALE)
    assert factors == [0.5, 0.5, 0.5, 1, 1, 1, 0.5, 0.5]
    assert int(scale.skipped_steps) == 2
    assert int(scale.finite_steps) == 1
    for _ in range(20):
        scale.update(tf.constant(False))
    assert float(scale.factor) == 1


def test_overflow_skips_the_step_and_halves_the_factor():
    """2^15 times a gradient of 3.6, then of 7.2 for w: beyond 65504."""
    network = Half()
    network.build((None, 1))
    model = BilevelSearch(network, [30.0, 1.0])
    model.compile(
        MomentumSGD(0.5, momentum=0.9, weight_decay=0.1),
        CoupledAdam(0.001),
        jit_compile=False,
    )
    optimizer = model.weight_optimizer
    train = (tf.constant([[2.0]]), tf.constant([0]))
    validation = (tf.constant([[3.0]]), tf.constant([1]))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    step = tf.function(model.train_step)
    for exponent in (14, 13):
        loss = step((train, validation))["loss"]
        # Of the loss itself nothing overflows.
        assert np.isfinite(loss)
        assert float(model.loss_scale.factor) == 2.0**exponent
        assert float(network.w) == 1
        assert int(optimizer.iterations) == 0
        assert float(optimizer.directions[0]) == 0
    # Alpha's gradient did not pass through float16.
    assert int(model.architecture_optimizer.iterations) == 2
    before = float(network.alpha)
    step((train, validation))
    assert float(model.loss_scale.factor) == 2.0**13
    assert int(optimizer.iterations) == 1
    alpha = float(network.alpha)
    assert alpha < before
    gradient = 2 * 30 * (sigmoid(2 + alpha) - 1)
    np.testing.assert_allclose(
        network.w, 1 - 0.5 * (gradient + 0.1), rtol=2.0**-10
    )


@pytest.mark.parametrize(
    ("precision", "micro_batches"),
    [("mixed_bfloat16", 1), ("mixed_float16", 2)],
)
def test_search_in_half_precision_lowers_the_loss(precision, micro_batches):
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(8, 8, 8, 1)).astype(np.float32)
    batch = (tf.constant(x), tf.constant([0, 1, 2, 0, 1, 2, 0, 1]))
    network = build_network(
        NetworkConfig(3, 2, 1), 3, input_shape=(8, 8), precision=precision
    )
    model = BilevelSearch(network, [1.0] * 3, micro_batches=micro_batches)
    model.compile(
        MomentumSGD(0.1, global_clipnorm=5.0),
        CoupledAdam(),
        jit_compile=False,
    )
    assert (model.loss_scale is not None) == (precision == "mixed_float16")
    before = network.logits()
    losses = []
    # Without a graph: tracing one takes longer than these steps.
    for _ in range(3):
        losses.append(float(model.train_step((batch, batch))["loss"]))
        model.reset_metrics()
    assert losses[2] < losses[1] < losses[0]
    assert 0 < np.abs(network.logits() - before).max() < 3 * 4e-4


class Model:
    loss_scale = None


def test_skipped_steps_are_told(capsys):
    model = Model()
    callback = SkippedSteps("search")
    callback.set_model(model)

    def epoch(*finite):
        callback.on_train_begin()
        callback.on_epoch_begin(0)
        for each in finite:
            model.loss_scale.update(tf.constant(each))
        callback.on_epoch_end(0)
        return capsys.readouterr().err

    assert epoch() == ""
    model.loss_scale = LossScale()
    assert epoch(True, True) == ""
    assert "in 2 steps of epoch 1 a gradient" in (text := epoch(False, False))
    assert "scaled by 8192" in text
    with pytest.raises(WorkError, match="also when the loss is not scaled"):
        epoch(*[False] * 20)
