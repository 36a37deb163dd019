"""A recipe over whole sequences, with a backward pass written by hand.

Products with x are formed for the whole sequence at once, before the loop over
time and after it. The loop goes from chunk to chunk (`chunk.py`).

Time comes first in every sequence here: (frames, batch, size).
"""

from collections.abc import Sequence

import tensorflow as tf

from emotion_nas_tf.recurrent import step
from emotion_nas_tf.recurrent.chunk import CHUNK, functions, kept_names
from emotion_nas_tf.recurrent.plan import Plan, make_plan
from emotion_nas_tf.recurrent.recipe import Recipe

Tensors = Sequence[tf.Tensor]


def run(
    recipe: Recipe,
    inputs: tf.Tensor,
    frames: tf.Tensor,
    states: Tensors,
    input_kernel: tf.Tensor,
    hidden_kernel: tf.Tensor,
    bias: tf.Tensor,
    compiled: bool = True,
) -> tuple[tf.Tensor, ...]:
    """Runs a recipe over sequences.

    Args:
      recipe: the cell.
      inputs: (chunks * CHUNK, batch, d), from `pad`; the first and the second
        may be unknown when the graph is made.
      frames: a scalar: how many of them count, all but those of the padding.
      states: `h_prev_0` ... before the first frame, (batch, h) each.
      input_kernel: (d, a * h), a matrix for each of `Plan.inputs`.
      hidden_kernel: (h, b * h), a matrix for each of `Plan.hidden`.
      bias: (n * h,), for each of `Plan.linears`.
      compiled: by XLA; otherwise the same operations one by one.

    Returns:
      For each state, (chunks * CHUNK, batch, h): its values after each frame,
      zeros for padding. They can be differentiated once.
    """
    plan = make_plan(recipe)

    @tf.custom_gradient
    def unrolled(*arguments):
        # Or a tape would record the loop as well.
        arguments = [tf.stop_gradient(each) for each in arguments]
        inputs, input_kernel, hidden_kernel, bias, *states = arguments
        projected = _project(plan, inputs, input_kernel, bias)
        kept = _forward(
            plan, compiled, projected, frames, hidden_kernel, bias, states
        )

        def gradient(*upstream):
            linears, biases, matrices, firsts = _backward(
                plan, compiled, frames, kept, hidden_kernel, states, upstream
            )
            rows = _rows(linears)
            return (
                tf.reshape(
                    tf.matmul(rows, input_kernel, transpose_b=True),
                    tf.shape(inputs),
                ),
                tf.matmul(_rows(inputs), rows, transpose_a=True),
                _join_matrices(plan, matrices),
                biases,
                *firsts,
            )

        return tuple(kept[: plan.num_states]), gradient

    return unrolled(inputs, input_kernel, hidden_kernel, bias, *states)


def pad(inputs: tf.Tensor) -> tf.Tensor:
    """Adds frames of zeros to fill the last chunk: (frames, batch, d)."""
    missing = -tf.shape(inputs)[0] % CHUNK
    return tf.pad(inputs, [[0, missing], [0, 0], [0, 0]])


def _project(
    plan: Plan, inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
) -> tf.Tensor:
    """Products with x, biases included: (frames, batch, a * h)."""
    biases = step.cut(bias, plan.linears)
    offset = step.join([biases[name] for name in plan.inputs])
    rows = tf.nn.bias_add(tf.matmul(_rows(inputs), kernel), offset)
    shape = tf.shape(inputs)
    return tf.reshape(rows, (shape[0], shape[1], kernel.shape[1]))


def _forward(
    plan: Plan,
    compiled: bool,
    projected: tf.Tensor,
    frames: tf.Tensor,
    hidden_kernel: tf.Tensor,
    bias: tf.Tensor,
    states: Tensors,
) -> list[tf.Tensor]:
    """What is kept of every frame."""
    advance, _ = functions(plan, compiled)
    biases = step.cut(bias, plan.linears)
    others = [biases[n] for n in plan.linears if n not in plan.inputs]
    matrices = step.product_matrices(plan, hidden_kernel)
    count = -(-frames // CHUNK)

    def body(c, states, arrays):
        sequences, kept, states = advance(
            _chunk(projected, c), others, matrices, list(states), _length(c)
        )
        arrays = [
            array.write(c, value)
            for array, value in zip(arrays, [*sequences, *kept], strict=True)
        ]
        return c + 1, states, arrays

    def _length(c):
        return tf.minimum(frames - c * CHUNK, CHUNK)

    shape = (CHUNK, *states[0].shape)
    arrays = [
        tf.TensorArray(bias.dtype, count, element_shape=shape)
        for _ in kept_names(plan)
    ]
    _, _, arrays = tf.while_loop(
        lambda c, *_: c < count,
        body,
        (0, list(states), arrays),
        parallel_iterations=1,
    )
    return [_whole(array) for array in arrays]


def _backward(
    plan: Plan,
    compiled: bool,
    frames: tf.Tensor,
    kept: Tensors,
    hidden_kernel: tf.Tensor,
    states: Tensors,
    upstream: Tensors,
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
    """Gradients of the projected input, biases, matrices and states."""
    _, retreat = functions(plan, compiled)
    matrices = step.product_matrices(plan, hidden_kernel)
    transposed = [tf.transpose(matrix) for matrix in matrices]
    count = -(-frames // CHUNK)
    size = hidden_kernel.shape[0]

    def body(c, gradients, bias, totals, array):
        start = c * CHUNK
        before = [
            tf.cond(c > 0, lambda s=s: s[start - 1], lambda f=f: f)
            for s, f in zip(kept, states, strict=False)
        ]
        linears, biases, found, gradients = retreat(
            [_chunk(each, c) for each in kept],
            before,
            transposed,
            [_chunk(each, c) for each in upstream],
            list(gradients),
            tf.minimum(frames - start, CHUNK),
        )
        totals = [a + b for a, b in zip(totals, found, strict=True)]
        return c - 1, gradients, bias + biases, totals, array.write(c, linears)

    dtype = hidden_kernel.dtype
    shape = (CHUNK, states[0].shape[0], len(plan.inputs) * size)
    _, gradients, bias, totals, array = tf.while_loop(
        lambda c, *_: c >= 0,
        body,
        (
            count - 1,
            [tf.zeros_like(state) for state in states],
            tf.zeros((len(plan.linears) * size,), dtype),
            [tf.zeros_like(matrix) for matrix in matrices],
            tf.TensorArray(dtype, count, element_shape=shape),
        ),
        parallel_iterations=1,
    )
    return _whole(array), bias, totals, gradients


def _join_matrices(plan: Plan, matrices: Tensors) -> tf.Tensor:
    """The inverse of `step.product_matrices`."""
    blocks = {}
    for product, matrix in zip(plan.products, matrices, strict=True):
        for source, row in step.cut(matrix, product.sources, 0).items():
            for target, block in step.cut(row, product.targets).items():
                blocks[target, source] = block
    return step.join([blocks[name] for name in plan.hidden])


def _chunk(sequence: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
    """Chunk `c`: a view, for it is cut along the first axis."""
    chunk = sequence[c * CHUNK : (c + 1) * CHUNK]
    return tf.ensure_shape(chunk, (CHUNK, *sequence.shape[1:]))


def _whole(array: tf.TensorArray) -> tf.Tensor:
    stacked = array.stack()
    shape = tf.shape(stacked)
    return tf.reshape(stacked, (shape[0] * CHUNK, shape[2], stacked.shape[3]))


def _rows(sequence: tf.Tensor) -> tf.Tensor:
    return tf.reshape(sequence, (-1, sequence.shape[-1]))
