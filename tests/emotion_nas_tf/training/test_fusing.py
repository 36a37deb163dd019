"""Fitting the perceptron, on streams whose worth is known."""

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from emotion_nas_tf.config import FusionConfig
from emotion_nas_tf.networks.fusion_system import perceptron_probabilities
from emotion_nas_tf.training.fusing import Answers, fit_perceptron, measure_ua
from tfrecords_builder.errors import WorkError

CONFIG = FusionConfig(data="training", epochs=30, learning_rate=5e-3)


def complementary(seed, num, classes=4):
    """Stream 1 cannot tell the first two classes apart, stream 2 the others.

    Returns:
      `Answers` of two streams.
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(num) % classes
    logits = generator.normal(size=(num, 2, classes))
    logits[np.arange(num), :, labels] += 3
    for stream, confused in ((0, (0, 1)), (1, tuple(range(2, classes)))):
        for row in np.flatnonzero(np.isin(labels, confused)):
            logits[row, stream, list(confused)] = generator.permutation(
                logits[row, stream, list(confused)]
            )
    return Answers(softmax(logits, axis=2), labels)


def _alone(answers, stream):
    both = answers.probabilities[:, [stream, stream]]
    return Answers(both, answers.labels)


def _ua(fitted, answers):
    found = perceptron_probabilities(fitted.network, answers.probabilities)
    return measure_ua(found, answers.labels)


def test_two_streams_together_are_better_than_each():
    fitting, validation, test = (
        complementary(seed, num) for seed, num in ((0, 160), (1, 80), (2, 400))
    )
    together = _ua(fit_perceptron(fitting, validation, CONFIG), test)
    for stream in (0, 1):
        fitted = fit_perceptron(
            _alone(fitting, stream), _alone(validation, stream), CONFIG
        )
        assert fitted.network.count_params() == 128
        assert _ua(fitted, _alone(test, stream)) < 0.75 < 0.82 < together


def test_three_streams_and_five_classes():
    pair = complementary(3, 150, classes=5)
    third = np.full((150, 1, 5), 0.2)
    answers = Answers(
        np.concatenate([pair.probabilities, third], axis=1), pair.labels
    )
    fitted = fit_perceptron(answers, answers, CONFIG)
    found = perceptron_probabilities(fitted.network, answers.probabilities)
    assert found.shape == (150, 5)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert fitted.validation_ua == measure_ua(found, answers.labels) > 0.7


def test_the_epoch_kept_is_the_best_on_validation():
    """A validation speaker who says the contrary: the first epoch is best."""
    fitting = complementary(4, 120)
    contrary = dataclasses.replace(fitting, labels=(fitting.labels + 1) % 4)
    config = dataclasses.replace(CONFIG, learning_rate=0.02, epochs=15)
    fitted = fit_perceptron(fitting, contrary, config)
    assert fitted.epoch < 5
    # Fitted on the validation speaker, there is nobody to choose by.
    config = dataclasses.replace(config, data="validation")
    assert fit_perceptron(contrary, contrary, config).epoch == 15


def test_a_seed_repeats_itself_and_a_last_small_batch_counts():
    answers = complementary(5, 30)
    config = dataclasses.replace(CONFIG, epochs=2, batch_size=16, seed=3)
    one, other = (
        fit_perceptron(answers, answers, config).network for _ in range(2)
    )
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    different = dataclasses.replace(config, seed=4)
    weights = fit_perceptron(answers, answers, different).network.get_weights()
    assert not np.array_equal(weights[0], one.get_weights()[0])


def test_one_step_is_adams():
    """All utterances in a batch, one epoch: every weight moves by the rate."""
    answers = complementary(6, 40)
    config = FusionConfig(
        data="validation", epochs=1, batch_size=40, learning_rate=1e-4
    )
    still = dataclasses.replace(config, learning_rate=0.0)
    before = fit_perceptron(answers, answers, still).network.get_weights()
    after = fit_perceptron(answers, answers, config).network.get_weights()
    for a, b in zip(before, after, strict=True):
        # Adam's first step: the rate times the gradient's sign.
        np.testing.assert_allclose(np.abs(b - a), 1e-4, rtol=0.02)


def test_a_diverging_fit_is_a_sentence():
    answers = complementary(7, 20)
    config = dataclasses.replace(CONFIG, learning_rate=1e38, epochs=3)
    with pytest.raises(WorkError, match="--fusion_learning_rate"):
        fit_perceptron(answers, answers, config)
