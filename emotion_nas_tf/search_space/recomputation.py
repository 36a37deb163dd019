"""A cell whose inner values are calculated again for the gradient.

Between the passes only what enters it is kept (Chen et al. 2016, "Training deep
nets with sublinear memory cost"): less memory, for a second forward pass.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.parts import (
    Parts,
    kernel_gradients,
    kernel_gradients_wanted,
)


def call_recomputed(cell: keras.layers.Layer, *inputs: Parts) -> Parts:
    """What a cell gives in training; its gradient by a second pass.

    Result, gradients and running statistics, which move once, are those of a
    plain call.

    Args:
      cell: built; called with `inputs` and `training=True`.
      *inputs: what a `SearchCell` takes: c_{k-2} and c_{k-1}, each (batch,
        frequency, time, channels) or a tuple of its parts; (edges, 8)
        operation weights; with partial channels (edges,) shares.

    Returns:
      c_k, (batch, frequency / stride, time / stride, N * C), in parts as the
      inputs are.
    """
    kernels, states = cell.trainable_variables, cell.non_trainable_variables
    # Within a scope of stand-ins these are the stand-ins.
    kernel_values, state_values = (
        [tf.convert_to_tensor(variable.value) for variable in variables]
        for variables in (kernels, states)
    )
    wanted = kernel_gradients_wanted()
    count = len(tf.nest.flatten(inputs))
    # Beside the result: as results they would be given gradients of zero.
    moved, structure = [], []

    def call(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The cell on inputs and kernels, which no variable then gives."""
        scope = keras.StatelessScope(
            [
                *zip(kernels, tensors[count:], strict=True),
                *zip(states, state_values, strict=True),
            ]
        )
        with scope:
            result = cell(
                *tf.nest.pack_sequence_as(inputs, tensors[:count]),
                training=True,
            )
        moved[:] = [scope.get_current_value(state) for state in states]
        structure[:] = [result]
        return tf.nest.flatten(result)

    @tf.custom_gradient
    def run(*tensors):
        def gradient(*gs):
            # Before the gradient has come, the cell after this one is in
            # memory: both would be.
            with tf.control_dependencies(gs):
                again = [tf.identity(tensor) for tensor in tensors[:count]]
            sources = [*again, *(tensors[count:] if wanted else ())]
            tape = tf.GradientTape(watch_accessed_variables=False)
            with kernel_gradients(wanted), tape:
                tape.watch(sources)
                results = call([*again, *tensors[count:]])
            found = tape.gradient(results, sources, gs)
            return [*found, *[None] * (len(tensors) - len(found))]

        return call(tensors), gradient

    results = run(*tf.nest.flatten(inputs), *kernel_values)
    for state, value in zip(states, moved, strict=True):
        state.assign(value)
    return tf.nest.pack_sequence_as(structure[0], results)
