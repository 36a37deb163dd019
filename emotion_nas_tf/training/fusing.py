"""Fitting the perceptron that joins the streams (paper, section 3.3)."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.config import FusionConfig
from emotion_nas_tf.networks.fusion import FusionNetwork
from emotion_nas_tf.networks.fusion_system import perceptron_probabilities
from emotion_nas_tf.training.losses import (
    class_weights,
    weighted_cross_entropy,
)
from emotion_nas_tf.training.metrics import (
    confusion_matrix,
    unweighted_accuracy,
)
from emotion_nas_tf.training.state import set_random_state
from tfrecords_builder.errors import WorkError


@dataclass(frozen=True)
class Answers:
    """What the streams said of some utterances.

    Attributes:
      probabilities: (n, streams, K).
      labels: (n,) true classes.
    """

    probabilities: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """A perceptron and how it came about.

    Attributes:
      network: with the weights that were kept; None where nothing is trained.
      validation_ua: of these.
      epoch: epochs trained when they were kept.
    """

    network: FusionNetwork | None
    validation_ua: float
    epoch: int


def fit_perceptron(
    fitting: Answers, validation: Answers, config: FusionConfig
) -> Fitted:
    """Fits a perceptron from scratch.

    Args:
      fitting: what it is fitted on.
      validation: the validation speaker's. The epoch with the best UA on it is
        kept (paper, section 3.1), of several the one with the lowest loss;
        where `config.data` is `validation`, it is what was fitted, and the
        last epoch is kept.
      config: how.

    Raises:
      WorkError: when the loss stops being finite.
    """
    set_random_state(config)
    num_utterances, num_streams, num_classes = fitting.probabilities.shape
    network = FusionNetwork(num_streams, num_classes, config.activation)
    network.build(fitting.probabilities.shape)
    epoch_of = _compile_epoch(network, fitting, config)
    generator = np.random.default_rng(config.seed)
    best, kept = (-1.0, -np.inf), None
    for epoch in range(1, config.epochs + 1):
        order = generator.permutation(num_utterances)
        loss = float(epoch_of(tf.constant(order, tf.int32)))
        if not np.isfinite(loss):
            raise WorkError(
                f"The loss of the fusion is no longer a finite number (epoch "
                f"{epoch}). Fuse again with a lower --fusion_learning_rate."
            )
        is_last = epoch == config.epochs
        if config.data == "validation" and not is_last:
            continue
        score = _score(network, validation)
        if score > best:
            best, kept = score, (network.get_weights(), epoch)
    weights, epoch = kept
    network.set_weights(weights)
    return Fitted(network, best[0], epoch)


def measure_ua(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Unweighted accuracy of (n, K) probabilities."""
    matrix = confusion_matrix(
        labels, probabilities.argmax(axis=1), probabilities.shape[1]
    )
    return unweighted_accuracy(matrix)


def _compile_epoch(
    network: FusionNetwork, fitting: Answers, config: FusionConfig
):
    """(n,) order of the utterances -> mean loss of an epoch in it."""
    optimizer = keras.optimizers.Adam(config.learning_rate)
    variables = network.trainable_variables
    optimizer.build(variables)
    num_utterances, _, num_classes = fitting.probabilities.shape
    probabilities = tf.constant(fitting.probabilities, tf.float32)
    labels = tf.constant(fitting.labels, tf.int32)
    factors = tf.constant(
        class_weights(config.class_balance, fitting.labels, num_classes),
        tf.float32,
    )
    # One call an epoch: a step takes less time than calling it would.
    starts = tf.range(0, num_utterances, config.batch_size)

    @tf.function
    def epoch_of(order: tf.Tensor) -> tf.Tensor:
        total = 0.0
        for start in starts:
            places = order[start : start + config.batch_size]
            classes = tf.gather(labels, places)
            with tf.GradientTape() as tape:
                logits = network(tf.gather(probabilities, places))
                loss = weighted_cross_entropy(classes, logits, factors)
            gradients = tape.gradient(loss, [v.value for v in variables])
            optimizer.apply(gradients, variables)
            total += loss * tf.cast(tf.size(places), tf.float32)
        return total / num_utterances

    return epoch_of


def _score(network: FusionNetwork, answers: Answers) -> tuple[float, float]:
    """UA, then log likelihood: the greater the better."""
    found = perceptron_probabilities(network, answers.probabilities)
    of_truth = found[np.arange(len(answers.labels)), answers.labels]
    likelihood = np.log(np.maximum(of_truth, 1e-12)).mean()
    return measure_ua(found, answers.labels), float(likelihood)
