"""What is compiled beside tracing."""

from concurrent.futures import Future

import pytest
import tensorflow as tf

from emotion_nas_tf.search_space import compilation
from emotion_nas_tf.search_space.compilation import (
    compile_early,
    compiling_early,
)
from emotion_nas_tf.search_space.elementwise import linear_combination


class AtOnce:
    """Stands in for the thread."""

    def __init__(self, *_):
        self.shutdown = lambda **_: None

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture
def begun(monkeypatch):
    """Shapes of what was begun to be compiled."""
    found = []

    def noting(concrete, arguments):
        tensors = [a for a in tf.nest.flatten(arguments) if a is not None]
        found.append([a.shape.as_list() for a in tensors])

    monkeypatch.setattr(compilation, "_call_with_zeros", noting)
    monkeypatch.setattr(compilation, "ThreadPoolExecutor", AtOnce)
    return found


def trace(*shapes):
    """Traces a function that XLA compiles, and begins to compile it."""
    compiled = tf.function(lambda x, more: x + sum(more), jit_compile=True)

    @tf.function
    def run(x, *more):
        concrete = compiled.get_concrete_function(x, list(more))
        for _ in range(2):
            compile_early(concrete, (x, list(more)))
        return concrete(x, list(more))

    run.get_concrete_function(*(tf.TensorSpec(shape) for shape in shapes))


def test_each_function_once(begun):
    with compiling_early():
        trace((2, 3), (2, 3))
        trace((4,), (4,), (4,))
    assert begun == [[[2, 3]] * 2, [[4]] * 3]


def test_not_outside_and_not_with_unknown_shapes(begun):
    trace((2, 3), (2, 3))
    with compiling_early():
        trace((None, 3), (None, 3))
    assert begun == []


def test_fused_functions_are_begun(begun):
    x, factor = tf.ones((2, 3)), tf.ones(3)

    @tf.function
    def run(x, factor):
        return linear_combination(factor, [None, factor], [x, x])

    with compiling_early():
        run.get_concrete_function(x, factor)
    assert begun == [[[3], [3], [2, 3], [2, 3]]]


def test_a_fused_function_can_be_called_with_zeros():
    x, factor = tf.ones((2, 3)), tf.ones(3)
    arguments = factor, [None, factor], [x, x]
    compiled = tf.function(linear_combination.__wrapped__, jit_compile=True)
    concrete = compiled.get_concrete_function(*arguments)
    results = []

    def noting(*zeros):
        results.append(concrete(*zeros))
        return results[-1]

    compilation._call_with_zeros(noting, arguments)
    assert results[0].shape == (2, 3)


def test_why_nothing_was_compiled_is_said(caplog):
    future = Future()
    future.set_exception(TypeError("of another shape"))
    compilation._say_why_not(future)
    assert "of another shape" in caplog.text
