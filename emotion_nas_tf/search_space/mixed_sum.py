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
      shares: (operations, T): the weights of the operations.
      carried: parts that are added to those of the sum; may be empty.
      kernels: what each operation's `kernels` gives.
      second_kernels: depthwise (T, k, k, C) and pointwise (T, C, C) of
        each operation of two stages.

    Returns:
      Parts of the sum, (batch / parts, frequency, time, T * C); means and
      biased variances, a row of T * C for the first of two stages each,
      then for each operation that ends with a batch normalisation.
    """
    count, two = len(parts), pieces.two_stages
    # Beside the result: as results they would be given gradients of zero.
    statistics = []

    @tf.custom_gradient
    def run(shares, *tensors):
        xs, further, kernels_of_first, seconds = tf.nest.pack_sequence_as(
            structure, tensors
        )
        # Once for all parts.
        laid_out = [
            operation.lay_out(*given)
            for operation, given in zip(
                pieces.operations, kernels_of_first, strict=True
            )
        ]
        firsts = kernels_of_first, laid_out
        seconds = [
            (side_by_side(depthwise), block_diagonal(pointwise))
            for depthwise, pointwise in seconds
        ]
        begun, *found = zip(
            *(pieces.begin(x, *firsts) for x in xs), strict=True
        )
        first_mean, first_variance = _rows(
            pieces, begun[0], *merged_moments(*found)
        )
        inner = first_mean[:two], inverse_deviation(first_variance[:two])
        line = inner[1], -inner[0] * inner[1]
        finished, *found = zip(
            *(pieces.finish(begins[:two], *line, seconds) for begins in begun),
            strict=True,
        )
        mean, variance = (
            tf.concat([tf.reshape(last, (two, -1)), first[two:]], 0)
            for last, first in zip(
                merged_moments(*found),
                (first_mean, first_variance),
                strict=True,
            )
        )
        statistics.append(tf.concat([first_mean[:two], mean], 0))
        statistics.append(tf.concat([first_variance[:two], variance], 0))
        terms = [
            [*ends, *begins[two:]]
            for ends, begins in zip(finished, begun, strict=True)
        ]
        means = _filled_up(pieces, mean, 0.0)
        inverses = _filled_up(pieces, inverse_deviation(variance), 1.0)
        factors = inverses * tf.repeat(
            shares, pieces.width // pieces.edges, axis=1
        )
        shift = -tf.reduce_sum(factors * means, 0)
        rows = tf.unstack(factors)
        ys = tuple(
            pieces.combine(
                part, rows, shift, [further[index]] if further else []
            )
            for index, part in enumerate(terms)
        )
        n = values_per_channel(terms[0][0]) * count

        def gradient(*gs):
            wanted = kernel_gradients_wanted()
            sums, covariances = added(
                pieces.correlate(g, part, means)
                for g, part in zip(gs, terms, strict=True)
            )
            correlations = inverses * covariances
            normalized = slice(pieces.normalized)
            lines = factors, *coefficients(
                sums, correlations[normalized], means[normalized],
                inverses[normalized], factors[normalized], n,
            )  # fmt: skip
            of_two, of_one = zip(
                *(tf.split(rows, [two, rows.shape[0] - two]) for rows in lines),
                strict=True,
            )
            g_rectified, sums, *g_seconds = zip(
                *(
                    pieces.finish_back[wanted](
                        g, part[:two], of_two, begins[:two], line,
                        inner[0], seconds,
                    )
                    for g, part, begins in zip(
                        gs, terms, begun, strict=True
                    )
                ),
                strict=True,
            )  # fmt: skip
            (sums,) = added([[each] for each in sums])
            of_inner = (
                *line,
                *coefficients(
                    sums[:, 0], inner[1] * sums[:, 1], *inner, inner[1], n
                ),
            )
            g_xs, *g_firsts = zip(
                *(
                    pieces.begin_back[wanted](
                        x, g, part[two:], of_one, rectified, begins[:two],
                        of_inner, *firsts,
                    )
                    for x, g, part, rectified, begins in zip(
                        xs, gs, terms, g_rectified, begun, strict=True
                    )
                ),
                strict=True,
            )  # fmt: skip
            g_shares = tf.reduce_sum(
                tf.reshape(correlations, (*shares.shape, -1)), -1
            )
            g_kernels = [None] * (len(tensors) - count - len(further))
            if wanted:
                g_kernels = [
                    *added(zip(*g_firsts, strict=True)),
                    *_edge_by_edge(pieces, added(zip(*g_seconds, strict=True))),
                ]
            return g_shares, *g_xs, *(gs if further else ()), *g_kernels

        return ys, gradient

    structure = [list(parts), list(carried), kernels, second_kernels]
    ys = run(shares, *tf.nest.flatten(structure))
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


def _filled_up(pieces, rows, value):
    """Rows for the terms that are not normalised too."""
    if missing := len(pieces.operations) - rows.shape[0]:
        shape = missing, pieces.width
        filling = tf.fill(shape, tf.cast(value, rows.dtype))
        rows = tf.concat([rows, filling], 0)
    return rows
