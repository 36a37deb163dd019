"""What the training steps of both streams have in common."""

import keras
import tensorflow as tf

from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy
from emotion_nas_tf.training.losses import weighted_cross_entropy
from emotion_nas_tf.training.mixup import Mixture, draw_mixture
from emotion_nas_tf.training.weight_average import WeightAverage


class ClassifierTraining(keras.Model):
    """A network that learns classes: its loss, mixtures and numbers.

    A subclass has the steps.

    Args:
      network: what is trained; answers with (batch, classes) logits.
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
        label_smoothing: float,
        mixup: float,
        seed: int,
        average: WeightAverage | None,
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
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.ua = UnweightedAccuracy(len(weights_of_classes), name="ua")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Reset at the start of every epoch."""
        return [self.mean_loss, self.ua]

    def call(self, x: tf.Tensor | tuple, training: bool = False) -> tf.Tensor:
        """The logits of the network that is kept."""
        return self.kept(x, training=training)

    def draw_mixture(self, labels: tf.Tensor) -> Mixture | None:
        """This step's mixture of (batch,) utterances; None without mixup."""
        if not self.mixup:
            return None
        step = self.optimizer.iterations.value
        return draw_mixture(tf.shape(labels)[0], self.mixup, self.seed, step)

    def training_loss(
        self, labels: tf.Tensor, logits: tf.Tensor, mixture: Mixture | None
    ) -> tf.Tensor:
        """Scalar, smoothed and mixed as asked for."""

        def of(labels: tf.Tensor) -> tf.Tensor:
            return weighted_cross_entropy(
                labels, logits, self.class_weights, self.label_smoothing
            )

        if mixture is None:
            return of(labels)
        return mixture.loss(of(labels), of(tf.gather(labels, mixture.partner)))

    def end_training_step(
        self,
        labels: tf.Tensor,
        logits: tf.Tensor,
        loss: tf.Tensor,
        mixture: Mixture | None,
    ) -> dict[str, tf.Tensor]:
        """Moves the average of the weights; this epoch's numbers so far."""
        if self.average:
            self.average.update(self.optimizer.iterations.value)
        if mixture:
            labels = mixture.labels(labels)
        return self._measure(labels, logits, loss)

    def validate(
        self, labels: tf.Tensor, logits: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The numbers of validation so far, with one more batch."""
        loss = weighted_cross_entropy(labels, logits, self.class_weights)
        return self._measure(labels, logits, loss)

    def _measure(
        self, labels: tf.Tensor, logits: tf.Tensor, loss: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        self.mean_loss.update_state(loss, sample_weight=tf.size(labels))
        self.ua.update_state(labels, logits)
        return {metric.name: metric.result() for metric in self.metrics}
