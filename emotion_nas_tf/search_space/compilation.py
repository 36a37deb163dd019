"""Compiles with XLA while the graph is still being traced.

Tracing and optimising a graph keep one core busy, and what XLA compiles would
otherwise wait for the first step. That is for small functions; with
`--jit_compile` XLA is given the whole step.
"""

import contextlib
import contextvars
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

_log = logging.getLogger(__name__)
_compiler = contextvars.ContextVar("compiler", default=None)
_whole = contextvars.ContextVar("XLA compiles the whole step", default=False)


@contextlib.contextmanager
def whole_by_xla(compiled: bool) -> Iterator[None]:
    """Inside, `inside_xla` says whether XLA compiles all that is traced."""
    token = _whole.set(compiled)
    try:
        yield
    finally:
        _whole.reset(token)


def inside_xla() -> bool:
    """Whether what is traced now is part of a step that XLA compiles whole."""
    return _whole.get()


@contextlib.contextmanager
def compiling_early() -> Iterator[None]:
    """What `compile_early` is given inside is compiled beside it.

    Not in the threads of `tf.distribute`, which do not see the context.
    """
    executor = ThreadPoolExecutor(1, "early compilation")
    token = _compiler.set((executor, set()))
    try:
        yield
    finally:
        _compiler.reset(token)
        executor.shutdown(cancel_futures=True)


def compile_early(
    concrete: tf.types.experimental.ConcreteFunction, arguments: Sequence
) -> None:
    """Begins to compile a function, beside what the caller does next.

    Nothing happens the second time, for shapes that are not known yet, and
    outside `compiling_early`.

    Args:
      concrete: of a `tf.function` that XLA compiles.
      arguments: what it was traced with: tensors, lists of them, or None.
    """
    if (compiler := _compiler.get()) is None:
        return
    executor, begun = compiler
    tensors = [a for a in tf.nest.flatten(arguments) if a is not None]
    if concrete.name in begun or not all(
        tensor.shape.is_fully_defined() for tensor in tensors
    ):
        return
    begun.add(concrete.name)
    executor.submit(_call_with_zeros, concrete, arguments).add_done_callback(
        _say_why_not
    )


def _say_why_not(future):
    # Nothing is lost but time: the first step will compile.
    if not future.cancelled() and (error := future.exception()):
        _log.warning("Not compiled beside tracing: %s", error)


def _call_with_zeros(concrete, arguments):
    zeros = tf.nest.map_structure(
        lambda a: None if a is None else tf.zeros(a.shape, a.dtype),
        list(arguments),
    )
    # XLA compiles at the first call. It would again, were this not the call
    # of a graph.
    tf.function(concrete, autograph=False)(*zeros)
