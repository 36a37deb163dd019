"""Compiles with XLA while the graph is still being traced.

Tracing and optimising a graph keep one core busy, and what XLA compiles would
otherwise wait for the first step.
"""

import concurrent.futures
import functools
from collections.abc import Callable, Sequence

import tensorflow as tf

_begun: set[str] = set()


def compile_early(concrete: Callable, arguments: Sequence) -> None:
    """Begins to compile a function, beside what the caller does next.

    Nothing happens the second time, for shapes that are not known yet, and
    where there is a GPU, for which whole steps are compiled.

    Args:
      concrete: of a `tf.function` that XLA compiles.
      arguments: what it was traced with, tensors in lists or not.
    """
    known = all(
        argument.shape.is_fully_defined()
        for argument in tf.nest.flatten(arguments)
        if argument is not None
    )
    if not known or concrete.name in _begun or _has_gpu():
        return
    _begun.add(concrete.name)
    _thread().submit(_call_with_zeros, concrete, arguments)


def _call_with_zeros(concrete, arguments):
    zeros = tf.nest.map_structure(
        lambda a: None if a is None else tf.zeros(a.shape, a.dtype),
        list(arguments),
    )
    # XLA compiles at the first call, and again where a graph calls.
    tf.function(concrete, autograph=False)(*zeros)


@functools.cache
def _thread():
    return concurrent.futures.ThreadPoolExecutor(1, "early compilation")


@functools.cache
def _has_gpu():
    return bool(tf.config.list_physical_devices("GPU"))
