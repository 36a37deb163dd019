"""A chunk of frames of a recipe, forwards and backwards.

A chunk has `CHUNK` frames whatever the length of the sequence, so that XLA
compiles one program for all lengths; how many of them count is an argument.
The forward pass keeps one value for each linear node; the backward pass
recomputes the element-wise nodes from those, and forms the gradient of each
matrix from all frames of the chunk in one product.

Time comes first: (CHUNK, batch, size).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import tensorflow as tf

from emotion_nas_tf.recurrent import step
from emotion_nas_tf.recurrent.plan import Plan

CHUNK = 32

Tensors = Sequence[tf.Tensor]


@lru_cache(maxsize=16)
def functions(plan: Plan, compiled: bool) -> tuple[Callable, Callable]:
    """The two passes of a plan.

    Args:
      plan: of the recipe.
      compiled: by XLA; otherwise the same operations one by one.
    """

    def forward(projected, biases, matrices, states, frames):
        return _forward(plan, projected, biases, matrices, states, frames)

    def backward(kept, before, transposed, upstream, gradients, frames):
        return _backward(
            plan, kept, before, transposed, upstream, gradients, frames
        )

    options = {"autograph": False, "jit_compile": compiled}
    return tf.function(forward, **options), tf.function(backward, **options)


def _forward(
    plan: Plan,
    projected: tf.Tensor,
    biases: Tensors,
    matrices: Tensors,
    states: Tensors,
    frames: tf.Tensor,
) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
    """Runs the first `frames` frames.

    Args:
      plan: of the recipe.
      projected: (CHUNK, batch, a * h), products with x, biases included.
      biases: (h,) for each linear node that does not read x.
      matrices: of the plan's products.
      states: (batch, h) each, before the first frame.
      frames: a scalar, at most CHUNK.

    Returns:
      (CHUNK, batch, h) for each state; the same for each other value that is
      kept; (batch, h) for each state after the last frame.
    """
    names = kept_names(plan)
    others = [name for name in plan.linears if name not in plan.inputs]
    biases = dict(zip(others, biases, strict=True))

    def body(t, states, arrays):
        from_input = step.cut(projected[t], plan.inputs)
        values = step.forward(plan, from_input, biases, matrices, states)
        arrays = [
            array.write(t, values[name])
            for array, name in zip(arrays, names, strict=True)
        ]
        return t + 1, [values[name] for name in plan.states], arrays

    arrays = [_array(states[0].shape, states[0].dtype) for _ in names]
    _, states, arrays = tf.while_loop(
        lambda t, *_: t < frames, body, (0, list(states), arrays)
    )
    stacked = [array.stack() for array in arrays]
    return stacked[: plan.num_states], stacked[plan.num_states :], states


def _backward(
    plan: Plan,
    kept: Tensors,
    before: Tensors,
    transposed: Tensors,
    upstream: Tensors,
    gradients: Tensors,
    frames: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
    """Goes through the first `frames` frames, last to first.

    Args:
      plan: of the recipe.
      kept: as `_forward` returned: states, then other values.
      before: (batch, h) each: states before the first frame.
      transposed: the matrices of the plan's products, transposed.
      upstream: (CHUNK, batch, h) each: of the states in every frame.
      gradients: (batch, h) each: of the states after the last frame.
      frames: a scalar, at most CHUNK.

    Returns:
      Gradients of `projected`, (CHUNK, batch, a * h), of the biases, (n * h,),
      of the plan's matrices, and of the states before the first frame.
    """
    names = kept_names(plan)
    size = before[0].shape[-1]
    dtype = before[0].dtype
    previous = [
        tf.concat([state[None], sequence[:-1]], 0)
        for state, sequence in zip(before, kept, strict=False)
    ]

    def body(t, gradients, array):
        stored = {
            name: sequence[t]
            for name, sequence in zip(names, kept, strict=True)
        }
        values = step.recompute(plan, stored, [each[t] for each in previous])
        totals = [
            gradient + sequence[t]
            for gradient, sequence in zip(gradients, upstream, strict=True)
        ]
        linears, totals = step.backward(plan, values, transposed, totals)
        joined = step.join([linears[name] for name in plan.linears])
        return t - 1, totals, array.write(t, joined)

    batch = before[0].shape[0]
    array = _array((batch, len(plan.linears) * size), dtype)
    _, gradients, array = tf.while_loop(
        lambda t, *_: t >= 0, body, (frames - 1, list(gradients), array)
    )
    linears = array.stack()
    by_name = step.cut(linears, plan.linears)
    # All frames at once: what was recomputed a frame at a time.
    values = step.recompute(plan, dict(zip(names, kept, strict=True)), previous)
    matrices = [
        tf.matmul(
            _rows(step.join([values[name] for name in product.sources])),
            _rows(step.join([by_name[name] for name in product.targets])),
            transpose_a=True,
        )
        for product in plan.products
    ]
    projected = step.join([by_name[name] for name in plan.inputs])
    return projected, tf.reduce_sum(linears, [0, 1]), matrices, gradients


def kept_names(plan: Plan) -> tuple[str, ...]:
    """What a forward pass keeps: the states, and what else is needed."""
    others = [name for name in plan.kept if name not in plan.states]
    return (*plan.states, *others)


def _array(shape, dtype) -> tf.TensorArray:
    return tf.TensorArray(dtype, CHUNK, element_shape=shape)


def _rows(sequence: tf.Tensor) -> tf.Tensor:
    return tf.reshape(sequence, (-1, sequence.shape[-1]))
