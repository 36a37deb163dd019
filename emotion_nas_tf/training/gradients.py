"""Loss and gradients of a batch, at the network's weights or at others."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.parts import kernel_gradients
from emotion_nas_tf.training.loss_scale import LossScale
from emotion_nas_tf.training.losses import weighted_cross_entropy


@dataclass(frozen=True)
class Batch:
    """Examples and the factors of their losses.

    Attributes:
      features: (batch, frequency, time, 1).
      labels: (batch,) int classes.
      class_weights: (classes,) factors of an utterance's loss.
      loss_scale: of a network in float16; gradients are returned without.
    """

    features: tf.Tensor
    labels: tf.Tensor
    class_weights: tf.Tensor
    loss_scale: LossScale | None = None

    def after(self, tensors: Sequence[tf.Tensor]) -> "Batch":
        """The same batch, not there before `tensors` are.

        A pass whose inputs wait for another pass cannot run beside it, which
        would double the memory.
        """
        with tf.control_dependencies(tensors):
            features = tf.identity(self.features)
        return dataclasses.replace(self, features=features)


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
    micro_batches: int = 1,
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
      micro_batches: equal parts that pass through the network one after the
        other, so that only one is in memory. Loss and gradients are the means
        over the parts, and so over the batch; batch normalisation alone
        knows the difference: it normalises each part by itself. The running
        statistics move once, by the mean over the parts.

    Raises:
      ValueError: when the loss does not depend on one of the variables, or
        the batch cannot be cut into equal parts.
    """
    if weights is None and keep_statistics and micro_batches == 1:
        return _differentiate(network, batch, variables)
    stand_ins = list(
        zip(network.network_weights, weights, strict=True) if weights else ()
    )
    states = network.non_trainable_variables

    def run(part: Batch) -> tuple[Pass, list[tf.Tensor]]:
        with keras.StatelessScope(stand_ins):
            found = _differentiate(network, part, variables)
            return found, [tf.identity(state.value) for state in states]

    if micro_batches == 1:
        found, moved = run(batch)
    else:
        found, moved = _average(run, batch, micro_batches, variables, states)
    if keep_statistics:
        for state, value in zip(states, moved, strict=True):
            state.assign(value)
    return found


def _differentiate(network, batch, variables) -> Pass:
    # Within a scope of stand-ins these are the stand-ins.
    values = [variable.value for variable in variables]
    alphas = {id(a) for a in getattr(network, "architecture_weights", ())}
    of_weights = not alphas.issuperset(map(id, variables))
    tape = tf.GradientTape(watch_accessed_variables=False)
    with kernel_gradients(of_weights), tape:
        tape.watch(values)
        # Half precision is for the network, not for the softmax.
        logits = tf.cast(
            network(batch.features, training=True), batch.class_weights.dtype
        )
        loss = weighted_cross_entropy(batch.labels, logits, batch.class_weights)
        scaled = batch.loss_scale.up(loss) if batch.loss_scale else loss
    gradients = tape.gradient(scaled, values)
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is None:
            raise ValueError(
                f"The loss does not depend on {variable.path}: no gradient "
                "reaches it."
            )
    if batch.loss_scale:
        gradients = batch.loss_scale.down(gradients)
    return Pass(loss, logits, gradients)


def _average(
    run: Callable[[Batch], tuple[Pass, list[tf.Tensor]]],
    batch: Batch,
    parts: int,
    variables: Sequence[keras.Variable],
    states: Sequence[keras.Variable],
) -> tuple[Pass, list[tf.Tensor]]:
    """A loop in the graph: unrolled, it would take `parts` times as long to
    compile, and nothing would keep the parts from running side by side.
    """
    size = batch.labels.shape[0]
    if size and size % parts:
        raise ValueError(
            f"A batch of {size} cannot be cut into {parts} equal parts."
        )
    features, labels = (
        tf.reshape(values, (parts, -1, *values.shape[1:]))
        for values in (batch.features, batch.labels)
    )

    def add(index, loss, logits, gradients, sums):
        found, moved = run(
            dataclasses.replace(
                batch, features=features[index], labels=labels[index]
            )
        )
        return (
            index + 1,
            loss + found.loss / parts,
            logits.write(index, found.logits),
            [
                s + g / parts
                for s, g in zip(gradients, found.gradients, strict=True)
            ],
            [
                # The state of a random generator has no mean: the last one.
                total + value / parts if value.dtype.is_floating else value
                for total, value in zip(sums, moved, strict=True)
            ],
        )

    def zeros(of: Sequence[keras.Variable]) -> list[tf.Tensor]:
        return [tf.zeros(v.shape, v.dtype) for v in of]

    dtype = batch.class_weights.dtype
    _, loss, logits, gradients, moved = tf.while_loop(
        lambda index, *_: index < parts,
        add,
        (
            tf.constant(0),
            tf.zeros((), dtype),
            tf.TensorArray(dtype, parts),
            zeros(variables),
            zeros(states),
        ),
        parallel_iterations=1,
    )
    return Pass(loss, logits.concat(), gradients), moved
