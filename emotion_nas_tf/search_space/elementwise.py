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
def deviations(x: tf.Tensor, origin: tf.Tensor) -> tf.Tensor:
    """x - origin and its square for (..., C); see `_pair`."""
    x = x - origin
    return _pair(x, tf.square(x))


@fused
def gradient_products(
    g: tf.Tensor, x: tf.Tensor, origin: tf.Tensor
) -> tf.Tensor:
    """g and g * (x - origin) for (..., C); see `_pair`."""
    return _pair(g, g * (x - origin))


@fused
def rectified_gradient_products(
    g: tf.Tensor,
    x: tf.Tensor,
    factor: tf.Tensor,
    shift: tf.Tensor,
    origin: tf.Tensor,
) -> tf.Tensor:
    """The same for the gradient `g` of max(factor * x + shift, 0)."""
    g = _where_positive(g, x, factor, shift)
    return _pair(g, g * (x - origin))


@fused
def rectified_combination(
    g: tf.Tensor,
    x: tf.Tensor,
    factor: tf.Tensor,
    shift: tf.Tensor,
    slope: tf.Tensor,
    constant: tf.Tensor,
) -> tf.Tensor:
    """factor * g where factor * x + shift > 0, plus slope * x + constant."""
    g = _where_positive(g, x, factor, shift)
    return g * factor + x * slope + constant


@fused
def product(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """x * y, broadcast."""
    return x * y


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


def _where_positive(g, x, factor, shift):
    return tf.where(x * factor + shift > 0, g, tf.zeros_like(g))


def _pair(first, second):
    """Both of (..., C), some rows added up: (fewer rows, C), complex.

    Written as complex numbers they are summed in one pass over memory; with
    two results XLA would make two.
    """
    pair = tf.complex(first, second)
    rows = pair.shape.num_elements()
    if rows is not None:
        rows //= pair.shape[-1]
        size = max(k for k in range(1, _MOST_ROWS + 1) if rows % k == 0)
        groups = tf.reshape(pair, (rows // size, size, -1))
        pair = functools.reduce(tf.add, tf.unstack(groups, axis=1))
    return pair
