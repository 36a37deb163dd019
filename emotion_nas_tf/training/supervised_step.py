"""The training step of a spectrogram network."""

import keras
import tensorflow as tf

from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy
from emotion_nas_tf.training.loss_scale import (
    apply_if_finite,
    make_loss_scale,
)
from emotion_nas_tf.training.losses import weighted_cross_entropy
from emotion_nas_tf.training.mixup import draw_mixture
from emotion_nas_tf.training.weight_average import WeightAverage


class SupervisedTraining(keras.Model):
    """One tape: the weights on a training batch.

    Args:
      network: (batch, frequency, time, 1) -> (batch, classes) logits.
      weights_of_classes: (classes,) factors of an utterance's loss.
      label_smoothing: in training; measured losses are never smoothed.
      mixup: alpha of the mixtures that are trained on; 0 for none.
      seed: of the mixtures.
      average: of the network's weights, which then is what is measured and
        kept; None for the network itself.
    """

    def __init__(
        self,
        network: keras.Model,
        weights_of_classes: list[float],
        label_smoothing: float = 0.0,
        mixup: float = 0.0,
        seed: int = 0,
        average: WeightAverage | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        # Keras follows networks, not what holds them: so that checkpoints do.
        self.kept = average.average if average else network
        self.average = average
        self.label_smoothing = label_smoothing
        self.mixup, self.seed = mixup, seed
        self.class_weights = tf.constant(weights_of_classes, tf.float32)
        self.loss_scale = make_loss_scale(network)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.ua = UnweightedAccuracy(len(weights_of_classes), name="ua")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Reset at the start of every epoch."""
        return [self.mean_loss, self.ua]

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The logits of the network that is kept."""
        return self.kept(x, training=training)

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves the weights, and their average after them."""
        x, y = data
        weights = self.network.trainable_weights
        mixture = None
        if self.mixup:
            step = self.optimizer.iterations.value
            mixture = draw_mixture(tf.shape(y)[0], self.mixup, self.seed, step)
            x = mixture.features(x)
        with tf.GradientTape() as tape:
            logits = self.network(x, training=True)
            # Half precision is for the network, not for the softmax.
            logits = tf.cast(logits, self.class_weights.dtype)
            loss = self._loss(y, logits)
            if mixture:
                partners = tf.gather(y, mixture.partner)
                loss = mixture.loss(loss, self._loss(partners, logits))
            scaled = self.loss_scale.up(loss) if self.loss_scale else loss
        gradients = tape.gradient(scaled, [w.value for w in weights])
        if self.loss_scale:
            gradients = self.loss_scale.down(gradients)
        finite = apply_if_finite(
            self.optimizer, gradients, weights, self.loss_scale
        )
        if self.loss_scale:
            self.loss_scale.update(finite)
        if self.average:
            self.average.update(self.optimizer.iterations.value)
        if mixture:
            y = mixture.labels(y)
        return self._measure(y, logits, loss)

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA with running statistics."""
        x, y = data
        logits = self.kept(x, training=False)
        logits = tf.cast(logits, self.class_weights.dtype)
        loss = weighted_cross_entropy(y, logits, self.class_weights)
        return self._measure(y, logits, loss)

    def _loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return weighted_cross_entropy(
            labels, logits, self.class_weights, self.label_smoothing
        )

    def _measure(self, labels, logits, loss) -> dict[str, tf.Tensor]:
        self.mean_loss.update_state(loss, sample_weight=tf.size(labels))
        self.ua.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}
