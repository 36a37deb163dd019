"""Loss and gradients of a batch, at the network's weights or at others."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from emotion_nas_tf.training.losses import weighted_cross_entropy


@dataclass(frozen=True)
class Batch:
    """Examples and the factors of their losses.

    Attributes:
      features: (batch, frequency, time, 1).
      labels: (batch,) int classes.
      class_weights: (classes,) factors of an utterance's loss.
    """

    features: tf.Tensor
    labels: tf.Tensor
    class_weights: tf.Tensor

    def after(self, tensors: Sequence[tf.Tensor]) -> "Batch":
        """The same batch, not there before `tensors` are.

        A pass whose inputs wait for another pass cannot run beside it, which
        would double the memory.
        """
        with tf.control_dependencies(tensors):
            features = tf.identity(self.features)
        return Batch(features, self.labels, self.class_weights)


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass in training mode.

    Attributes:
      loss: scalar, the mean over the batch.
      logits: (batch, classes).
      gradients: of the loss, one for each variable asked for.
    """

    loss: tf.Tensor
    logits: tf.Tensor
    gradients: list[tf.Tensor]


def differentiate(
    network: keras.Model,
    batch: Batch,
    variables: Sequence[keras.Variable],
    weights: Sequence[tf.Tensor] | None = None,
    keep_statistics: bool = True,
) -> Pass:
    """Gradients of the mean loss with respect to `variables`.

    Args:
      network: (batch, frequency, time, 1) -> (batch, classes) logits.
      batch: the examples.
      variables: of the network; the pass computes no other gradients.
      weights: values that stand in for `network.network_weights`; the
        variables themselves are not touched.
      keep_statistics: whether the batch moves the running statistics. Results
        do not depend on them: training normalises by the batch.

    Raises:
      ValueError: when the loss does not depend on one of the variables.
    """
    if weights is None and keep_statistics:
        return _differentiate(network, batch, variables)
    stand_ins = zip(network.network_weights, weights or (), strict=False)
    with keras.StatelessScope(list(stand_ins)) as scope:
        found = _differentiate(network, batch, variables)
    if keep_statistics:
        for variable in network.non_trainable_variables:
            value = scope.get_current_value(variable)
            if value is not None:
                variable.assign(value)
    return found


def _differentiate(network, batch, variables) -> Pass:
    # Within a scope of stand-ins these are the stand-ins.
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        logits = network(batch.features, training=True)
        loss = weighted_cross_entropy(batch.labels, logits, batch.class_weights)
    gradients = tape.gradient(loss, values)
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is None:
            raise ValueError(
                f"The loss does not depend on {variable.path}: no gradient "
                "reaches it."
            )
    return Pass(loss, logits, gradients)
