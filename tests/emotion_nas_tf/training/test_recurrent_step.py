"""A recurrent network's training step: NumPy beside it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax
from sequence_data import make_data

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.training.mixup import draw_mixture
from emotion_nas_tf.training.recurrent_step import make_recurrent_training

DATA = make_data()
SIZE = DATA.size(RecurrentConfig(num_layers=1, hidden_size=6))
CONFIG = RecurrentTrainConfig(epochs=2, batch_size=6, learning_rate=0.03)


def make(**options):
    config = dataclasses.replace(CONFIG, **options)
    model = make_recurrent_training(built_in("gru"), DATA, SIZE, config)
    return model, list(DATA.training_batches(SIZE, config, 0))


def test_mixed_and_smoothed_targets_as_by_hand():
    """Vectors are mixed before the classifier, targets in the same shares."""
    model, [(x, y), *_] = make(mixup=0.7, label_smoothing=0.3, seed=3)
    vectors = model.network.embed(x).numpy()
    kernel, bias = (w.numpy() for w in model.network.classifier.weights)
    logs = model.train_step((x, y))

    mixture = draw_mixture(6, 0.7, 3, tf.constant(0))
    share, partner = float(mixture.share), mixture.partner.numpy()
    assert 0.01 < share < 0.99
    mixed = share * vectors + (1 - share) * vectors[partner]
    y = y.numpy()
    target = 0.7 * np.eye(3)[y] + 0.3 / 3
    rows = model.class_weights.numpy()[y][:, None] * target
    target = share * rows + (1 - share) * rows[partner]
    loss = -(target * log_softmax(mixed @ kernel + bias, 1)).sum(1).mean()
    assert float(logs["loss"]) == pytest.approx(loss, rel=1e-5)


def test_the_average_follows_the_weights_and_is_what_is_measured():
    model, batches = make(weight_averaging=0.3)
    network, average = model.network, model.kept
    assert average is not network
    means = [variable.numpy() for variable in network.variables]
    for number, batch in enumerate(batches, 1):
        model.train_step(batch)
        decay = min(0.3, (1 + number) / (10 + number))
        for mean, variable in zip(means, network.variables, strict=True):
            mean *= decay
            mean += (1 - decay) * variable.numpy()
    assert len(batches) > 2
    for mean, variable in zip(means, average.variables, strict=True):
        np.testing.assert_allclose(mean, variable.numpy(), atol=1e-6)
    model.reset_metrics()
    x, y = batches[0]
    logs = model.test_step((x, y))
    losses = -log_softmax(average(x).numpy(), 1)[range(6), y.numpy()]
    expected = (model.class_weights.numpy()[y.numpy()] * losses).mean()
    assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)


def test_options_leave_the_initial_weights_as_they_are():
    plain, _ = make()
    other, _ = make(weight_averaging=0.3, mixup=0.2)
    assert plain.kept is plain.network
    for a, b in zip(
        plain.network.variables, other.network.variables, strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
