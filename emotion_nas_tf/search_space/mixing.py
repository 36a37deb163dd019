"""Batch normalisation, weighting and summation of many tensors in one step.

Tensors of an edge's own have T * C channels, edge after edge; a tensor with C
channels is the same for all T edges.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.normalization import (
    channel_sums,
    coefficients,
    inverse_deviation,
    moments,
    sums_of_pairs,
    values_per_channel,
)
from emotion_nas_tf.search_space.primitives import matmul, products


def combine(
    terms: list[tf.Tensor],
    factors: list[tf.Tensor],
    shift: tf.Tensor,
    further: Sequence[tf.Tensor] = (),
) -> tf.Tensor:
    """Sum of factor * term, plus a shift.

    Args:
      terms: (batch, frequency, time, T * C) or, shared by the edges, C.
      factors: (T * C,) each.
      shift: (T * C,).
      further: tensors like the result, added as they are.

    Returns:
      (batch, frequency, time, T * C).
    """
    width = shift.shape[0]
    pairs = list(zip(terms, factors, strict=True))
    shared = [pair for pair in pairs if pair[0].shape[-1] != width]
    own = [pair for pair in pairs if pair[0].shape[-1] == width]
    if shared:
        together = tf.concat([term for term, _ in shared], -1)
        kernel = tf.concat(
            [spreading(factor, term.shape[-1]) for term, factor in shared], 0
        )
        kernel = tf.cast(kernel, together.dtype)
        own.append((matmul(together, kernel), None))
    own += [(term, None) for term in further]
    own_terms, own_factors = zip(*own, strict=True)
    return elementwise.linear_combination(
        shift, list(own_factors), list(own_terms)
    )


def spreading(factor: tf.Tensor, channels: int) -> tf.Tensor:
    """The (C, T * C) matrix that hands C channels to T edges, scaled."""
    edges = factor.shape[0] // channels
    identities = np.tile(np.eye(channels), [1, edges])
    return tf.constant(identities, factor.dtype) * factor


def normalized_sum(
    terms: list[tf.Tensor],
    shares: tf.Tensor,
    normalized: int,
    further: Sequence[tf.Tensor] = (),
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Normalises the terms by the batch, weights them and adds them up.

    Only the terms are kept for the backward pass.

    Args:
      terms: (batch, frequency, time, T * C) or, shared by the edges, C.
      shares: (terms, T): the weights of each term, edge by edge.
      normalized: how many terms are normalised: the first ones, at least one.
      further: tensors like the sum, added to it as they are.

    Returns:
      The sum, (batch, frequency, time, T * C); means and biased variances of
      the normalised terms, (normalized * T * C,) each, edge after edge also
      where a term is shared.
    """
    # With one edge a shared tensor is as wide as an edge's own.
    width = max(term.shape[-1] for term in terms)
    edges, count = shares.shape[1], len(terms)
    own = [
        index
        for index, term in enumerate(terms[:normalized])
        if term.shape[-1] == width
    ]
    # Beside the result: as results they would be given gradients of zero.
    statistics = []

    @tf.custom_gradient
    def run(shares, *tensors):
        terms, further = tensors[:count], tensors[count:]
        # From here on vectors of all terms are rows of one matrix.
        mean, variance = _edge_after_edge(
            terms[:normalized], width, *moments(*terms[:normalized])
        )
        statistics.extend([mean, variance])
        means = _filled_up(mean, 0.0, len(terms), width)
        inverses = _filled_up(
            inverse_deviation(variance), 1.0, len(terms), width
        )
        factors = _per_channel(shares, width) * inverses
        shift = -tf.reduce_sum(factors * means, 0)
        y = combine(terms, tf.unstack(factors), shift, further)

        def gradient(g):
            sums = channel_sums(g)
            origins = tf.unstack(means)
            covariances = dict(
                zip(
                    own,
                    _products_with_deviations(
                        g,
                        [terms[index] for index in own],
                        [origins[index] for index in own],
                    ),
                    strict=True,
                )
            )
            for index, term in enumerate(terms):
                if index not in own:
                    covariances[index] = (
                        _products_with_shared(g, term) - origins[index] * sums
                    )
            correlations = inverses[:normalized] * tf.stack(
                [covariances[index] for index in range(normalized)]
            )
            slopes, constants = coefficients(
                sums, correlations, means[:normalized], inverses[:normalized],
                factors[:normalized], values_per_channel(terms[0]),
            )  # fmt: skip
            # By themselves: only the gradient of the shares needs them.
            correlations = tf.concat(
                [correlations]
                + [
                    covariances[index][None]
                    for index in range(normalized, count)
                ],
                0,
            )
            slopes, constants, of_g = (
                tf.unstack(m) for m in (slopes, constants, factors)
            )
            g_terms = []
            for index, (term, factor) in enumerate(
                zip(terms, of_g, strict=True)
            ):
                if index < normalized:
                    slope, constant = slopes[index], constants[index]
                if index in own:
                    g_term = elementwise.linear_combination(
                        constant, [factor, slope], [g, term]
                    )
                else:
                    back = spreading(factor, term.shape[-1])
                    g_term = matmul(g, tf.cast(back, g.dtype), transpose_b=True)
                    if index < normalized:
                        slope, constant = (
                            tf.reduce_sum(tf.reshape(v, (edges, -1)), 0)
                            for v in (slope, constant)
                        )
                        g_term = elementwise.linear_combination(
                            constant, [None, slope], [g_term, term]
                        )
                g_terms.append(g_term)
            g_shares = tf.reduce_sum(
                tf.reshape(correlations, (len(terms), edges, -1)), -1
            )
            return g_shares, *g_terms, *[g for _ in further]

        return y, gradient

    y = run(shares, *terms, *further)
    return y, *statistics


def _edge_after_edge(terms, width, *vectors):
    """The values of a shared term, of C channels, once for every edge."""
    sizes = [term.shape[-1] for term in terms]
    if all(size == width for size in sizes):
        return vectors
    starts = np.cumsum([0, *sizes[:-1]])
    order = [
        start + np.tile(np.arange(size), width // size)
        for start, size in zip(starts, sizes, strict=True)
    ]
    return [tf.gather(vector, np.concatenate(order)) for vector in vectors]


def _filled_up(vector, value, rows, width):
    """A matrix of rows of `width`; those that are missing are constant."""
    matrix = tf.reshape(vector, (-1, width))
    if missing := rows - matrix.shape[0]:
        filling = tf.fill((missing, width), tf.cast(value, matrix.dtype))
        matrix = tf.concat([matrix, filling], 0)
    return matrix


def _products_with_deviations(g, terms, means):
    """Sums over all but the channels of g * (term - its mean), (C,) each.

    Two at a time, so that `g` is read half as often.
    """
    sums = []
    for index in range(0, len(terms) - 1, 2):
        sums += sums_of_pairs(
            elementwise.two_gradient_products(
                g, terms[index], means[index], terms[index + 1],
                means[index + 1],
            )
        )  # fmt: skip
    if len(terms) % 2:
        pairs = elementwise.gradient_products(g, terms[-1], means[-1])
        sums.append(sums_of_pairs(pairs)[1])
    return sums


def _products_with_shared(g, term):
    """Sums of g * term, edge after edge: (T * C,)."""
    channels, width = term.shape[-1], g.shape[-1]
    # Row c, edge t, channel d: only c = d is met.
    sums = products(elementwise.wide(term), elementwise.wide(g))
    met = np.tile(np.eye(channels), [1, width // channels])
    return tf.reduce_sum(sums * tf.constant(met, sums.dtype), 0)


def _per_channel(shares, width):
    """(terms, T) as (terms, T * C)."""
    edges = shares.shape[1]
    order = np.repeat(np.arange(edges), width // edges)
    return tf.gather(shares, order, axis=1)
