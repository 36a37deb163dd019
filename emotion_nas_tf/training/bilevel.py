"""One step of the search: alpha on a validation batch, omega on a training one.

First-order DARTS (Liu et al. 2019, Eq. 3 of the paper): the gradient of the
validation loss at the present weights, in place of the trained ones.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy
from emotion_nas_tf.training.losses import weighted_cross_entropy


class BilevelSearch(keras.Model):
    """Trains a search network's weights and its architecture in turn.

    `fit` takes batches ((features, labels) for the weights, (features, labels)
    for alpha); `evaluate` takes (features, labels).

    Args:
      network: its weights and alphas are moved.
      weights_of_classes: (classes,) factors of an utterance's loss.
    """

    def __init__(
        self,
        network: SearchNetwork,
        weights_of_classes: Sequence[float],
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.class_weights = tf.constant(
            weights_of_classes, network.compute_dtype
        )
        self.train_loss = keras.metrics.Mean(name="loss")
        self.architecture_loss = keras.metrics.Mean(name="architecture_loss")
        self.ua = UnweightedAccuracy(len(weights_of_classes), name="ua")

    def compile(
        self,
        weight_optimizer: keras.optimizers.Optimizer,
        architecture_optimizer: keras.optimizers.Optimizer,
        **kwargs,
    ) -> None:
        """Sets the optimiser of omega and that of alpha."""
        super().compile(**kwargs)
        self.weight_optimizer = weight_optimizer
        self.architecture_optimizer = architecture_optimizer
        weight_optimizer.build(self.network.network_weights)
        architecture_optimizer.build(self.network.architecture_weights)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Reset at the start of every epoch."""
        return [self.train_loss, self.architecture_loss, self.ua]

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The search network's logits."""
        return self.network(x, training=training)

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves alpha, then the weights."""
        (train_x, train_y), (validation_x, validation_y) = data

        alphas = self.network.architecture_weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([alpha.value for alpha in alphas])
            logits = self.network(validation_x, training=True)
            architecture_loss = weighted_cross_entropy(
                validation_y, logits, self.class_weights
            )
        gradients = tape.gradient(architecture_loss, [a.value for a in alphas])
        self.architecture_optimizer.apply(gradients, alphas)

        # The second pass reads alpha late; without this its forward half
        # would run beside the first and double the memory.
        with tf.control_dependencies(gradients):
            train_x = tf.identity(train_x)
        weights = self.network.network_weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([weight.value for weight in weights])
            logits = self.network(train_x, training=True)
            loss = weighted_cross_entropy(train_y, logits, self.class_weights)
        gradients = tape.gradient(loss, [w.value for w in weights])
        self.weight_optimizer.apply(gradients, weights)

        self.train_loss.update_state(loss)
        self.architecture_loss.update_state(architecture_loss)
        self.ua.update_state(train_y, logits)
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA of the network as it stands."""
        x, y = data
        logits = self.network(x, training=False)
        self.train_loss.update_state(
            weighted_cross_entropy(y, logits, self.class_weights),
            sample_weight=tf.size(y),
        )
        self.ua.update_state(y, logits)
        return {m.name: m.result() for m in (self.train_loss, self.ua)}
