"""Arithmetic that gives the same bits in every run on one machine.

TensorFlow's op determinism leaves one gap (2.21, CPU). `AddN`, the sum of
three or more tensors, writes into the first of them that nobody else reads
any more, and begins with that one: which it is, and with it the rounding,
depends on how far the operations beside it are.
"""

import functools
from collections.abc import Sequence

import tensorflow as tf

# What gradients that meet, `tf.add_n` and Keras' sums all end in.
from tensorflow.python.ops import gen_math_ops

_at_once = gen_math_ops.add_n


def make_repeatable() -> None:
    """For the rest of the process, and for functions traced from now on."""
    tf.config.experimental.enable_op_determinism()
    gen_math_ops.add_n = _in_order
    # It would turn x + y + z into such a sum.
    tf.config.optimizer.set_experimental_options(
        {"arithmetic_optimization": False}
    )


def _in_order(inputs: Sequence[tf.Tensor], name: str | None = None):
    """The sum, from the first to the last; two may change places."""
    if len(inputs) < 3 or inputs[0].dtype == tf.variant:
        return _at_once(inputs, name=name)
    total = functools.reduce(tf.add, inputs)
    return tf.identity(total, name) if name else total
