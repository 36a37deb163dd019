"""Element-wise arithmetic that reads and writes each value once."""

import functools
from collections.abc import Callable

import tensorflow as tf

# Rows that one pass adds up before the rest is left to a matrix product.
_MOST_ROWS = 8


def fused(function: Callable) -> Callable:
    """Compiles a chain of element-wise operations to one pass over memory.

    Only such chains gain: XLA's convolutions, and its gradients of large
    graphs, are slower on a CPU than TensorFlow's own. The compiled function
    belongs inside custom gradients; it is not differentiated.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*arguments):
        # Executed eagerly, a compilation a shape would not pay.
        if tf.executing_eagerly():
            return function(*arguments)
        return compiled.get_concrete_function(*arguments)(*arguments)

    return call


@fused
def affine(x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """factor * x + shift, a factor and a shift a channel."""
    return x * factor + shift


@fused
def rectified_affine(
    x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor
) -> tf.Tensor:
    """max(factor * x + shift, 0)."""
    return tf.nn.relu(x * factor + shift)


@fused
def masked(
    g: tf.Tensor, x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor
) -> tf.Tensor:
    """`g` where factor * x + shift is positive: the gradient of its ReLU."""
    return tf.where(x * factor + shift > 0, g, tf.zeros_like(g))


@fused
def squared_deviation(x: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    """(x - mean)^2 for (..., C), some rows added up: (fewer rows, C)."""
    return _add_rows(tf.square(x - mean))


@fused
def product_with_deviation(
    g: tf.Tensor, x: tf.Tensor, mean: tf.Tensor
) -> tf.Tensor:
    """g * (x - mean) for (..., C), some rows added up: (fewer rows, C)."""
    return _add_rows(g * (x - mean))


@fused
def linear_combination(
    shift: tf.Tensor, factors: list[tf.Tensor], terms: list[tf.Tensor]
) -> tf.Tensor:
    """Sum of factor * term, plus shift; a factor of None counts as one."""
    return sum(
        (
            term if factor is None else term * factor
            for factor, term in zip(factors, terms, strict=True)
        ),
        shift,
    )


def _add_rows(x):
    """Adds groups of rows of (..., C), so that little is written."""
    rows = x.shape.num_elements()
    if rows is None:
        return x
    rows //= x.shape[-1]
    size = max(k for k in range(1, _MOST_ROWS + 1) if rows % k == 0)
    groups = tf.unstack(tf.reshape(x, (rows // size, size, -1)), axis=1)
    return functools.reduce(tf.add, groups)
