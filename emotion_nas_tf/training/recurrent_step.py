"""The training step of a recurrent network."""

import threading
from collections.abc import Callable, Iterable

import tensorflow as tf

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.recurrent.network import (
    RecurrentNetwork,
    build_recurrent_network,
)
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.training.classifier_training import ClassifierTraining
from emotion_nas_tf.training.losses import class_weights
from emotion_nas_tf.training.optimizers import CoupledAdam
from emotion_nas_tf.training.recurrent_data import RecurrentData
from emotion_nas_tf.training.state import set_random_state
from emotion_nas_tf.training.weight_average import WeightAverage

_DRAWING = threading.Lock()


class RecurrentTraining(ClassifierTraining):
    """One tape: the weights on a batch of utterances of different lengths.

    Compiled when it is made. Batches are ((features, lengths), labels), see
    `data.sequence_batches`.

    Args:
      network: built, without softmax.
      weights_of_classes: (classes,) factors of an utterance's loss.
      config: rate, clip and what is done against overfitting.
      average: of the network's weights, which then is what is measured and
        kept; None for the network itself.
    """

    def __init__(
        self,
        network: RecurrentNetwork,
        weights_of_classes: list[float],
        config: RecurrentTrainConfig,
        average: WeightAverage | None = None,
        **kwargs,
    ):
        super().__init__(
            network,
            weights_of_classes,
            config.label_smoothing,
            config.mixup,
            config.seed,
            average,
            **kwargs,
        )
        self.dropout = config.dropout
        optimizer = CoupledAdam(
            config.learning_rate,
            # Kingma and Ba's; the class' own default is the search's.
            beta_1=0.9,
            weight_decay=0.0,
            global_clipnorm=config.gradient_clip,
        )
        optimizer.build(network.trainable_weights)
        self.compile(optimizer=optimizer, jit_compile=False)

    def make_train_function(self, force: bool = False) -> None:
        """Prepares the training step."""
        self.train_function = _any_length(self.train_step)

    def make_test_function(self, force: bool = False) -> None:
        """Prepares the validation step."""
        self.test_function = _any_length(self.test_step)

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves the weights, and their average after them."""
        x, y = data
        weights = self.network.trainable_weights
        mixture = self.draw_mixture(y)
        with tf.GradientTape() as tape:
            vectors = self.network.embed(x)
            if mixture:
                vectors = mixture.features(vectors)
            logits = self.network.classifier(self._drop(vectors))
            loss = self.training_loss(y, logits, mixture)
        gradients = tape.gradient(loss, [w.value for w in weights])
        self.optimizer.apply(gradients, weights)
        return self.end_training_step(y, logits, loss, mixture)

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA; rows that fill a batch up do not count."""
        x, y = data
        logits = self.kept(x, training=False)
        real = y >= 0
        return self.validate(
            tf.boolean_mask(y, real), tf.boolean_mask(logits, real)
        )

    def _drop(self, vectors: tf.Tensor) -> tf.Tensor:
        if not self.dropout:
            return vectors
        # Drawn from the step's number, which a checkpoint holds: a training
        # that goes on draws what it would have drawn.
        step = tf.cast(self.optimizer.iterations.value, tf.int32)
        return tf.nn.experimental.stateless_dropout(
            vectors,
            self.dropout,
            seed=tf.stack([self.seed, step]),
        )


def _any_length(step: Callable[[tuple], dict]) -> Callable[[Iterable], dict]:
    """A step in one graph for batches of all lengths.

    Keras' own would be traced for the first batch's length, and again for any.
    """
    graphs = {}

    def run(batches: Iterable) -> dict[str, tf.Tensor]:
        (features, lengths), labels = next(iter(batches))
        rows, _, size = features.shape
        if (rows, size) not in graphs:
            numbers = tf.TensorSpec((rows,), tf.int32)
            any_length = tf.TensorSpec((rows, None, size), features.dtype)
            graphs[rows, size] = tf.function(
                lambda x, lengths, y: step(((x, lengths), y)),
                input_signature=(any_length, numbers, numbers),
                autograph=False,
            )
        return graphs[rows, size](features, lengths, labels)

    return run


def make_recurrent_training(
    recipe: Recipe,
    data: RecurrentData,
    network_config: RecurrentConfig,
    config: RecurrentTrainConfig,
) -> RecurrentTraining:
    """A fresh network, ready to be trained on these data.

    Args:
      recipe: its cell.
      data: the splits.
      network_config: its size, from `RecurrentData.size`.
      config: how it is trained.
    """
    classes = len(data.label_names)
    # The state of chance is the process': candidates trained in threads would
    # draw from each other's.
    average = None
    with _DRAWING:
        set_random_state(config)
        network = build_recurrent_network(network_config, recipe, classes)
        if network_config.standardize:
            network.set_moments(*data.training.moments())
        if config.weight_averaging:
            average = WeightAverage(
                network,
                build_recurrent_network(network_config, recipe, classes),
                config.weight_averaging,
            )
    factors = class_weights(config.class_balance, data.training.labels, classes)
    return RecurrentTraining(network, factors, config, average)
