"""Sums over a batch, and the moments made of them, channel by channel."""

from collections.abc import Iterable, Sequence

import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.compilation import inside_xla
from emotion_nas_tf.search_space.primitives import on_gpu


def channel_sums(x: tf.Tensor) -> tf.Tensor:
    """Sums (..., C) over all but the channels: (C,), at least float32."""
    x = elementwise.wide(x)
    if on_gpu():
        return tf.reduce_sum(x, list(range(x.shape.rank - 1)))
    # On a CPU a bias' gradient, which is this sum, adds up quicker.
    return tf.raw_ops.BiasAddGrad(out_backprop=x)


def sums_of_pairs(*pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sums complex (..., C) over all but C: real and imaginary parts.

    Of several tensors the channels stand one tensor after the other.
    """
    sums = []
    for pair in pairs:
        if inside_xla():
            # Which makes no copies, and cannot look at the same bits twice.
            values = tf.stack([tf.math.real(pair), tf.math.imag(pair)], -1)
        else:
            values = tf.bitcast(pair, pair.dtype.real_dtype)
        sums.append(channel_sums(tf.reshape(values, (-1, 2 * pair.shape[-1]))))
    return tuple(tf.unstack(tf.reshape(_joined(sums), (-1, 2)), axis=1))


def _joined(vectors: Sequence[tf.Tensor]) -> tf.Tensor:
    """The vectors one after the other."""
    return tf.concat(vectors, 0) if len(vectors) > 1 else vectors[0]


def moments(*tensors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of each channel of (..., C): (C,) each.

    Of several tensors, all of which have as many values a channel, the
    channels stand one tensor after the other.
    """
    pairs, origins = zip(
        *(elementwise.deviations(x) for x in tensors), strict=True
    )
    n = values_per_channel(tensors[0])
    sums, squares = sums_of_pairs(*pairs)
    offset = sums / n
    variance = tf.maximum(squares / n - tf.square(offset), 0.0)
    return _joined(origins) + offset, variance


def values_per_channel(x: tf.Tensor) -> float | tf.Tensor:
    """How many values of (..., C) a channel has."""
    if (size := x.shape.num_elements()) is not None:
        return float(size // x.shape[-1])
    # Half precision counts no further than 2048.
    size = tf.size(x) // x.shape[-1]
    return tf.cast(size, elementwise.wide_dtype(x.dtype))


def added(rows: Iterable[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    """Sums of the first of every row, of the second, and so on."""
    return [
        tf.add_n(list(column)) if len(column) > 1 else column[0]
        for column in zip(*rows, strict=True)
    ]


def merged_moments(
    means: Sequence[tf.Tensor], variances: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance of equal parts together."""
    if len(means) == 1:
        return means[0], variances[0]
    means, variances = tf.stack(means), tf.stack(variances)
    mean = tf.reduce_mean(means, 0)
    between = tf.reduce_mean(tf.square(means - mean), 0)
    return mean, tf.reduce_mean(variances, 0) + between
