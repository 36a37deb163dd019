"""Element-wise arithmetic that reads and writes each value once.

Values of half the bits are taken and given, but never calculated with.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from emotion_nas_tf.search_space.compilation import compile_early

# Rows that one pass adds up before the rest is left to a matrix product.
_MOST_ROWS = 8
# Of so many rows one counts for the origin of deviations: prime, so that all
# rows and columns of spectrograms have their share.
_ROWS_TO_ORIGIN = 97


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
        concrete = compiled.get_concrete_function(*arguments)
        compile_early(concrete, arguments)
        return concrete(*arguments)

    return call


def wide_dtype(dtype: tf.DType) -> tf.DType:
    """What sums of a type are made in: at least single precision."""
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype


def wide(x: tf.Tensor) -> tf.Tensor:
    """The values, in at least single precision."""
    return tf.cast(x, wide_dtype(x.dtype))


def scale_and_shift(
    x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor
) -> tf.Tensor:
    """factor * x + shift, a factor and a shift a channel, as `x`."""
    return tf.cast(wide(x) * factor + shift, x.dtype)


@fused
def affine(x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The same, compiled."""
    return scale_and_shift(x, factor, shift)


@fused
def rectified_affine(
    x: tf.Tensor, factor: tf.Tensor, shift: tf.Tensor
) -> tf.Tensor:
    """max(factor * x + shift, 0), as `x`."""
    return tf.nn.relu(scale_and_shift(x, factor, shift))


@fused
def deviations(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """x - origin and its square for (..., C), see `_pair`; origin, (C,).

    The origin, a mean of some of the values, makes the difference of squares
    that a variance is safe.
    """
    x = wide(x)
    some = tf.reshape(x, (-1, x.shape[-1]))[::_ROWS_TO_ORIGIN]
    origin = tf.reduce_mean(some, 0)
    x -= origin
    return _pair(x, tf.square(x)), origin


@fused
def gradient_products(
    g: tf.Tensor, x: tf.Tensor, origin: tf.Tensor
) -> tf.Tensor:
    """g and g * (x - origin) for (..., C); see `_pair`."""
    g = wide(g)
    return _pair(g, g * (wide(x) - origin))


@fused
def two_gradient_products(
    g: tf.Tensor,
    first: tf.Tensor,
    first_origin: tf.Tensor,
    second: tf.Tensor,
    second_origin: tf.Tensor,
) -> tf.Tensor:
    """g * (first - its origin) and the same of the second; see `_pair`."""
    g = wide(g)
    return _pair(
        g * (wide(first) - first_origin), g * (wide(second) - second_origin)
    )


@fused
def rectified_gradient_products(
    g: tf.Tensor,
    x: tf.Tensor,
    factor: tf.Tensor,
    shift: tf.Tensor,
    origin: tf.Tensor,
) -> tf.Tensor:
    """The same for the gradient `g` of max(factor * x + shift, 0)."""
    g, x = wide(g), wide(x)
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
    dtype = x.dtype
    g, x = wide(g), wide(x)
    g = _where_positive(g, x, factor, shift)
    return tf.cast(g * factor + x * slope + constant, dtype)


@fused
def product(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """x * y, broadcast."""
    return x * y


@fused
def linear_combination(
    shift: tf.Tensor, factors: list[tf.Tensor], terms: list[tf.Tensor]
) -> tf.Tensor:
    """Sum of factor * term, plus shift; a factor of None counts as one."""
    total = sum(
        (
            wide(term) if factor is None else wide(term) * factor
            for factor, term in zip(factors, terms, strict=True)
        ),
        shift,
    )
    return tf.cast(total, terms[0].dtype)


@fused
def places_of_largest(x: tf.Tensor) -> tf.Tensor:
    """Where in its 3x3 window each first largest value stands.

    Args:
      x: (batch, height + 2, width + 2, C).

    Returns:
      (batch, height, width, C): 0 to 8, row by row, as int8.
    """
    windows = _shifted(x)
    largest = next(windows)
    places = tf.zeros_like(largest, tf.int32)
    for place, values in enumerate(windows, 1):
        places = tf.where(values > largest, place, places)
        largest = tf.maximum(largest, values)
    return tf.reshape(tf.cast(places, tf.int8), _without_border(x))


@fused
def sums_at_places(places: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
    """Gives each window's `g` to the place in it that `places` names.

    Args:
      places: of `places_of_largest`, with a border of other numbers.
      g: with a border of any numbers.

    Returns:
      (batch, height, width, C).
    """
    total = 0.0
    pairs = zip(_shifted(places), _shifted(g), strict=True)
    # The window that lies down and right has its first place here.
    for place, (named, values) in zip(range(8, -1, -1), pairs, strict=True):
        here = tf.equal(named, tf.constant(place, named.dtype))
        total += tf.where(here, values, tf.zeros_like(values))
    return tf.reshape(total, _without_border(g))


def _shifted(x):
    """Nine views, one a place of a 3x3 window: (batch, height, width * C)."""
    channels = x.shape[-1]
    shape = x.shape if x.shape.is_fully_defined() else tf.shape(x)
    # Width and channels together make rows long enough for vectors.
    rows = tf.reshape(x, (shape[0], shape[1], shape[2] * channels))
    for down in range(3):
        for right in range(3):
            yield rows[
                :,
                down : down - 2 or None,
                right * channels : (right - 2) * channels or None,
            ]


def _without_border(x):
    shape = x.shape if x.shape.is_fully_defined() else tf.shape(x)
    return shape[0], shape[1] - 2, shape[2] - 2, shape[3]


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
