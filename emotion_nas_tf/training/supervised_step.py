"""The training step of a spectrogram network."""

import keras
import tensorflow as tf

from emotion_nas_tf.training.classifier_training import ClassifierTraining
from emotion_nas_tf.training.loss_scale import (
    apply_if_finite,
    make_loss_scale,
)
from emotion_nas_tf.training.weight_average import WeightAverage


class SupervisedTraining(ClassifierTraining):
    """One tape: the weights on a training batch.

    Args:
      network: (batch, frequency, time, 1) -> (batch, classes) logits.
      weights_of_classes: as `ClassifierTraining`'s, and so the following.
      label_smoothing: likewise.
      mixup: likewise.
      seed: likewise.
      average: likewise.
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
        super().__init__(
            network,
            weights_of_classes,
            label_smoothing,
            mixup,
            seed,
            average,
            **kwargs,
        )
        self.loss_scale = make_loss_scale(network)

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves the weights, and their average after them."""
        x, y = data
        weights = self.network.trainable_weights
        mixture = self.draw_mixture(y)
        if mixture:
            x = mixture.features(x)
        with tf.GradientTape() as tape:
            logits = self.network(x, training=True)
            # Half precision is for the network, not for the softmax.
            logits = tf.cast(logits, self.class_weights.dtype)
            loss = self.training_loss(y, logits, mixture)
            scaled = self.loss_scale.up(loss) if self.loss_scale else loss
        gradients = tape.gradient(scaled, [w.value for w in weights])
        if self.loss_scale:
            gradients = self.loss_scale.down(gradients)
        finite = apply_if_finite(
            self.optimizer, gradients, weights, self.loss_scale
        )
        if self.loss_scale:
            self.loss_scale.update(finite)
        return self.end_training_step(y, logits, loss, mixture)

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA with running statistics."""
        x, y = data
        logits = self.kept(x, training=False)
        return self.validate(y, tf.cast(logits, self.class_weights.dtype))
