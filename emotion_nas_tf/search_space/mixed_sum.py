"""The mixed operation in training: normalised by the batch, part by part."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    diagonal_blocks,
    edge_by_edge,
    side_by_side,
)
from emotion_nas_tf.search_space.mixed_pieces import MixedPieces
from emotion_nas_tf.search_space.moments import (
    added,
    merged_moments,
    values_per_channel,
)
from emotion_nas_tf.search_space.normalization import (
    coefficients,
    inverse_deviation,
)
from emotion_nas_tf.search_space.parts import kernel_gradients_wanted


def mixed_sum(
    pieces: MixedPieces,
    parts: Sequence[tf.Tensor],
    shares: tf.Tensor,
    carried: Sequence[tf.Tensor],
    kernels: Sequence[Sequence[tf.Tensor]],
    second_kernels: Sequence[Sequence[tf.Tensor]],
) -> tuple[tuple[tf.Tensor, ...], tf.Tensor, tf.Tensor]:
    """Normalises by the batch, weights and adds up.

    Args:
      pieces: of the mixed operation's kind.
      parts: of the node's value, (batch / parts, frequency, time, C) each.
      shares: (operations, T): the weights of the operations, which stand in
        the order of `pieces.names` here and in what follows.
      carried: parts of the result's shape, added to it; may be empty.
      kernels: what each operation's `kernels` gives.
      second_kernels: depthwise (T, k, k, C) and pointwise (T, C, C) of
        each operation of two stages.

    Returns:
      Parts of the sum, (batch / parts, frequency / stride, time / stride,
      T * C); means and
      biased variances, a row of T * C for the first of two stages each,
      then for each operation that ends with a batch normalisation.
    """
    count, two = len(parts), pieces.two_stages
    wanted = kernel_gradients_wanted()
    # Once for all parts.
    laid_out = [
        operation.lay_out(*given)
        for operation, given in zip(pieces.operations, kernels, strict=True)
    ]
    seconds = [
        (side_by_side(depthwise), block_diagonal(pointwise))
        for depthwise, pointwise in second_kernels
    ]
    # Beside the result: as results they would be given gradients of zero.
    statistics = []

    @tf.custom_gradient
    def run(shares, *tensors):
        xs, further = tensors[:count], tensors[count : count + len(carried)]
        begun, *found = zip(
            *(pieces.begin(x, kernels, laid_out) for x in xs), strict=True
        )
        begun_two, begun_one = zip(
            *((values[:two], values[two:]) for values in begun), strict=True
        )
        (inner_mean, mean), (inner_variance, variance) = (
            tf.split(rows, [two, pieces.normalized - two])
            for rows in _rows(pieces, begun[0], *merged_moments(*found))
        )
        inner_inverse = inverse_deviation(inner_variance)
        inner_line = inner_inverse, -inner_mean * inner_inverse
        finished, *found = zip(
            *(pieces.finish(x, *inner_line, seconds) for x in begun_two),
            strict=True,
        )
        mean, variance = (
            tf.concat([tf.reshape(last, (two, -1)), first], 0)
            for last, first in zip(
                merged_moments(*found), (mean, variance), strict=True
            )
        )
        statistics.append(tf.concat([inner_mean, mean], 0))
        statistics.append(tf.concat([inner_variance, variance], 0))
        terms = [
            [*two_stages, *one_stage]
            for two_stages, one_stage in zip(finished, begun_one, strict=True)
        ]
        inverse = inverse_deviation(variance)
        means = _filled_up(pieces, mean, 0.0)
        inverses = _filled_up(pieces, inverse, 1.0)
        factors = inverses * tf.repeat(
            shares, pieces.width // pieces.edges, axis=1
        )
        shift = -tf.reduce_sum(factors * means, 0)
        rows = tf.unstack(factors)
        ys = tuple(
            pieces.combine(part, rows, shift, list(more))
            for part, *more in zip(
                terms, *([further] if further else []), strict=True
            )
        )
        n = values_per_channel(terms[0][0]) * count

        def gradient(*gs):
            sums, covariances = added(
                pieces.correlate(g, part, means)
                for g, part in zip(gs, terms, strict=True)
            )
            correlations = inverses * covariances
            lines = factors, *coefficients(
                sums, _normalized(pieces, correlations), mean, inverse,
                _normalized(pieces, factors), n,
            )  # fmt: skip
            of_two, of_one = zip(
                *(tf.split(rows, [two, rows.shape[0] - two]) for rows in lines),
                strict=True,
            )
            g_rectified, inner_sums, *g_seconds = zip(
                *(
                    pieces.finish_back[wanted](
                        *of_part, of_two, inner_line, inner_mean, seconds
                    )
                    for of_part in zip(gs, finished, begun_two, strict=True)
                ),
                strict=True,
            )
            # Of g, and of g * deviation.
            inner_sums = tf.unstack(*added([s] for s in inner_sums), axis=1)
            of_inner = (
                *inner_line,
                *coefficients(
                    inner_sums[0], inner_inverse * inner_sums[1], inner_mean,
                    inner_inverse, inner_inverse, n,
                ),
            )  # fmt: skip
            g_xs, *g_firsts = zip(
                *(
                    pieces.begin_back[wanted](
                        *of_part, of_one, of_inner, kernels, laid_out
                    )
                    for of_part in zip(
                        xs, gs, begun_one, g_rectified, begun_two, strict=True
                    )
                ),
                strict=True,
            )
            g_shares = tf.reduce_sum(
                tf.reshape(correlations, (*shares.shape, -1)), -1
            )
            g_kernels = ()
            if wanted:
                g_kernels = (
                    *added(zip(*g_firsts, strict=True)),
                    *_edge_by_edge(pieces, added(zip(*g_seconds, strict=True))),
                )
            return g_shares, *g_xs, *(gs if further else ()), *g_kernels

        return ys, gradient

    # What no gradient is wanted of is not given: it would get one of zeros.
    differentiable = (
        tf.nest.flatten([kernels, second_kernels]) if wanted else []
    )
    ys = run(shares, *parts, *carried, *differentiable)
    return ys, *statistics


def _edge_by_edge(pieces, gradients):
    """Gradients of kernels side by side as those of edges' kernels."""
    for depthwise, pointwise in zip(
        gradients[::2], gradients[1::2], strict=True
    ):
        yield edge_by_edge(depthwise, pieces.edges)
        yield diagonal_blocks(pointwise, pieces.edges)


def _rows(pieces, terms, *vectors):
    """A row of T * C a normalised term; shared ones' for every edge."""
    sizes = [term.shape[-1] for term in terms[: pieces.normalized]]
    starts = np.cumsum([0, *sizes[:-1]])
    order = np.stack(
        [
            start + np.tile(np.arange(size), pieces.width // size)
            for start, size in zip(starts, sizes, strict=True)
        ]
    )
    return [tf.gather(vector, order) for vector in vectors]


def _normalized(pieces, rows):
    """The rows of terms that are normalised."""
    if pieces.normalized == len(pieces.operations):
        return rows
    return rows[: pieces.normalized]


def _filled_up(pieces, rows, value):
    """Rows for the terms that are not normalised too."""
    if missing := len(pieces.operations) - rows.shape[0]:
        shape = missing, pieces.width
        filling = tf.fill(shape, tf.cast(value, rows.dtype))
        rows = tf.concat([rows, filling], 0)
    return rows
