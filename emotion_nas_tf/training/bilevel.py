"""One step of the search: alpha on a validation batch, omega on a training one.

DARTS (Liu et al. 2019; Eq. 3 of the paper). Of first order: the gradient of
the validation loss at the present weights, in place of the trained ones. Of
second order: at the weights after one step; see `second_order`.
"""

import contextlib
from collections.abc import Iterable, Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.networks.memory import handing_back
from emotion_nas_tf.search_space.compilation import (
    compiling_early,
    whole_by_xla,
)
from emotion_nas_tf.search_space.primitives import on_gpu
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.gradients import Batch, differentiate
from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy
from emotion_nas_tf.training.loss_scale import (
    apply_if_finite,
    make_loss_scale,
)
from emotion_nas_tf.training.losses import weighted_cross_entropy
from emotion_nas_tf.training.replicas import with_one_more
from emotion_nas_tf.training.second_order import second_order_pass


class BilevelSearch(keras.Model):
    """Trains a search network's weights and its architecture in turn.

    `fit` takes batches ((features, labels) for the weights, (features, labels)
    for alpha); `evaluate` takes (features, labels).

    Args:
      network: its weights and alphas are moved.
      weights_of_classes: (classes,) factors of an utterance's loss.
      order: `first` or `second`; the second needs `MomentumSGD`.
      micro_batches: parts of a batch that are in memory one at a time; see
        `differentiate`.

    Attributes:
      moves_architecture: whether a step moves alpha at all, e.g. not in the
        first epochs. Read when the step is traced.
    """

    def __init__(
        self,
        network: SearchNetwork,
        weights_of_classes: Sequence[float],
        order: str = "first",
        micro_batches: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network = network
        self.order, self.micro_batches = order, micro_batches
        self.moves_architecture = True
        # By its network; with replicas Keras would try to build it again.
        self.built = True
        self.class_weights = tf.constant(
            weights_of_classes, network.variable_dtype
        )
        self.loss_scale = make_loss_scale(network)
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

    def make_train_function(self, force: bool = False) -> None:
        """Prepares the step, which is traced and compiled by its first call."""
        before = self.train_function
        super().make_train_function(force)
        compiled = self.train_function
        if compiled is before:
            return

        def compile_and_run(batches: Iterable) -> dict[str, tf.Tensor]:
            self.train_function = compiled
            # A GPU, or --jit_compile, does without small compiled functions.
            early = contextlib.nullcontext()
            if not (on_gpu() or self.jit_compile):
                early = compiling_early()
            with handing_back(), early:
                return compiled(batches)

        self.train_function = compile_and_run

    def train_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Moves alpha, then the weights."""
        with whole_by_xla(bool(self.jit_compile)):
            return self._train_step(data)

    def _train_step(self, data):
        training, validation = (
            Batch(*batch, self.class_weights, self.loss_scale) for batch in data
        )
        finite = True
        if self.moves_architecture:
            gradients, finite = self._move_architecture(training, validation)
            # The second pass reads alpha late: it must not start before.
            training = training.after(gradients)
        weights = self.network.network_weights
        found = differentiate(
            self.network, training, weights, micro_batches=self.micro_batches
        )
        finite &= apply_if_finite(
            self.weight_optimizer, found.gradients, weights, self.loss_scale
        )
        if self.loss_scale:
            self.loss_scale.update(finite)
        self.train_loss.update_state(found.loss)
        self.ua.update_state(training.labels, found.logits)
        return {metric.name: metric.result() for metric in self.metrics}

    def _move_architecture(
        self, training: Batch, validation: Batch
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Alpha's gradients, and whether they were finite."""
        alphas = self.network.architecture_weights
        if self.order == "second":
            found = second_order_pass(
                self.network,
                self.weight_optimizer,
                training,
                validation,
                self.micro_batches,
            )
        else:
            found = differentiate(
                self.network,
                validation,
                alphas,
                micro_batches=self.micro_batches,
            )
        gradients = [
            gradient + penalty
            for gradient, penalty in zip(
                found.gradients, self._penalty_gradients(), strict=True
            )
        ]
        finite = apply_if_finite(
            self.architecture_optimizer, gradients, alphas, self.loss_scale
        )
        self.architecture_loss.update_state(found.loss)
        return gradients, finite

    def _penalty_gradients(self) -> list[tf.Tensor]:
        values = [w.value for w in self.network.architecture_weights]
        with tf.GradientTape() as tape:
            penalty = self.network.architecture_penalty()
        return tape.gradient(penalty, values, unconnected_gradients="zero")

    def test_step(self, data: tuple) -> dict[str, tf.Tensor]:
        """Loss and UA of the network as it stands."""
        x, y = data
        logits = self.network(with_one_more(x), training=False)[: tf.size(y)]
        logits = tf.cast(logits, self.class_weights.dtype)
        loss = weighted_cross_entropy(y, logits, self.class_weights)
        # A replica may be left without an utterance of the last batch.
        count = tf.cast(tf.size(y), loss.dtype)
        self.train_loss.update_state(
            tf.math.multiply_no_nan(loss, count / tf.maximum(count, 1.0)),
            sample_weight=count,
        )
        self.ua.update_state(y, logits)
        return {m.name: m.result() for m in (self.train_loss, self.ua)}
