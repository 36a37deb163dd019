"""What is compiled beside tracing."""

import pytest
import tensorflow as tf

from emotion_nas_tf.search_space import early_compilation
from emotion_nas_tf.search_space.early_compilation import (
    compile_early,
    compiling_early,
)


@pytest.fixture
def begun(monkeypatch):
    """Shapes of what was begun to be compiled."""
    found = []
    call = early_compilation._call_with_zeros

    def noting(concrete, arguments):
        found.append([a.shape.as_list() for a in tf.nest.flatten(arguments)])
        call(concrete, arguments)

    monkeypatch.setattr(early_compilation, "_call_with_zeros", noting)
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


def test_each_function_once(begun, monkeypatch):
    class AtOnce:
        """Stands in for the thread."""

        def __init__(self, *_):
            self.submit = lambda function, *arguments: function(*arguments)
            self.shutdown = lambda **_: None

    monkeypatch.setattr(early_compilation, "ThreadPoolExecutor", AtOnce)
    with compiling_early():
        trace((2, 3), (2, 3))
        trace((4,), (4,), (4,))
    assert begun == [[[2, 3]] * 2, [[4]] * 3]


def test_a_function_is_called_with_its_shapes():
    compiled = tf.function(lambda x: tf.cos(x))
    x = tf.ones((2, 3))
    calls = []

    def concrete(values):
        calls.append(values.shape)
        return compiled(values)

    early_compilation._call_with_zeros(concrete, (x,))
    assert calls == [(2, 3)]


def test_not_outside_and_not_with_unknown_shapes(begun):
    trace((2, 3), (2, 3))
    with compiling_early():
        trace((None, 3), (None, 3))
    assert begun == []
