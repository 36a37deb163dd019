"""A batch in parts, each of which stays in a processor's cache on its way.

Between two batch normalisations no example needs another. What is larger than
the cache would come from memory again for every operation in between.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

import tensorflow as tf

from emotion_nas_tf.search_space.compilation import inside_xla
from emotion_nas_tf.search_space.kernel_threads import equal_parts
from emotion_nas_tf.search_space.primitives import on_gpu

# A tensor, or one for each part of the batch.
Parts = tf.Tensor | tuple[tf.Tensor, ...]

_wanted = contextvars.ContextVar("kernel gradients are wanted", default=True)


def number_of_parts(batch_size: int | None) -> int:
    """Into how many equal parts a batch is cut; GPU and XLA take it whole."""
    if batch_size is None or on_gpu() or inside_xla():
        return 1
    return equal_parts(batch_size)


def cut(x: tf.Tensor, count: int) -> Parts:
    """A batch in equal parts; as it is if there is one part."""
    return tuple(tf.split(x, count)) if count > 1 else x


def whole(x: Parts) -> tf.Tensor:
    """The batch that the parts make."""
    return tf.concat(x, 0) if isinstance(x, tuple) else x


def each(function: Callable, *arguments: Parts) -> Parts:
    """What a function gives for every part, or for a batch that is whole."""
    if not isinstance(arguments[0], tuple):
        return function(*arguments)
    return tuple(function(*parts) for parts in zip(*arguments, strict=True))


def shape_of_each(shape: tuple) -> tuple:
    """What Keras calls the input's shape, also where parts have one each."""
    return shape if isinstance(shape[-1], int) else tuple(shape[0])


def apart(function: Callable) -> Callable:
    """A function of tensors that stays one operation of the graph.

    What it holds is traced and optimised once, however often it is called.
    """
    compiled = tf.function(
        function,
        autograph=False,
        experimental_attributes={"_noinline": True},
    )

    def call(*arguments):
        # A GPU takes a batch whole: there is nothing to share.
        if tf.executing_eagerly() or on_gpu() or inside_xla():
            return function(*arguments)
        return compiled.get_concrete_function(*arguments)(*arguments)

    return call


def kernel_gradients_wanted() -> bool:
    """Whether what is calculated now will be asked for kernels' gradients."""
    return _wanted.get()


@contextlib.contextmanager
def kernel_gradients(wanted: bool) -> Iterator[None]:
    """Whether what is calculated inside is asked for kernels' gradients.

    What stays one operation of the graph cannot lose a part of it later.
    Mixed operations heed it when they are called, separable convolutions by
    themselves when their gradient is taken.
    """
    token = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(token)
