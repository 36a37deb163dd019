"""Batch normalisation, weighting and summation of many tensors in one step.

Tensors of an edge's own have T * C channels, edge after edge; a tensor with C
channels is the same for all T edges.
"""

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.normalization import (
    channel_sums,
    gradient_of_sums,
    inverse_deviation,
    moments,
    sums_of_pairs,
    values_per_channel,
)
from emotion_nas_tf.search_space.primitives import matmul


def combine(
    terms: list[tf.Tensor], factors: list[tf.Tensor], shift: tf.Tensor
) -> tf.Tensor:
    """Sum of factor * term, plus a shift.

    Args:
      terms: (batch, frequency, time, T * C) or, shared by the edges, C.
      factors: (T * C,) each.
      shift: (T * C,).

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
    terms: list[tf.Tensor], shares: list[tf.Tensor], normalized: list[bool]
) -> tuple[tf.Tensor, list[tuple[tf.Tensor, tf.Tensor]]]:
    """Normalises the terms by the batch, weights them and adds them up.

    Only the terms are kept for the backward pass.

    Args:
      terms: (batch, frequency, time, T * C) or, shared by the edges, C.
      shares: (T,) each: the weights of a term, edge by edge.
      normalized: which terms are normalised.

    Returns:
      The sum, (batch, frequency, time, T * C), and (mean, biased variance)
      of every term; those of terms not normalised are zero and one.
    """
    count = len(terms)

    @tf.custom_gradient
    def run(*arguments):
        terms, shares = arguments[:count], arguments[count:]
        statistics, factors, shift = [], [], 0.0
        for term, share, wanted in zip(terms, shares, normalized, strict=True):
            channels = term.shape[-1]
            if wanted:
                mean, variance = moments(term)
            else:
                mean = tf.zeros(channels, share.dtype)
                variance = mean + 1
            statistics.append((mean, variance))
            factor = _per_channel(share, width)
            if wanted:
                edges = width // channels
                inverse = inverse_deviation(variance)
                if edges > 1 and channels < width:
                    inverse = tf.tile(inverse, [edges])
                    mean = tf.tile(mean, [edges])
                factor *= inverse
                shift -= factor * mean
            factors.append(factor)
        y = combine(terms, factors, shift)

        def gradient(g, *_):
            sums = channel_sums(g)
            own = [
                index
                for index, (term, wanted) in enumerate(
                    zip(terms, normalized, strict=True)
                )
                if wanted and term.shape[-1] == width
            ]
            products = dict(
                zip(
                    own,
                    _products_with_deviations(
                        g,
                        [terms[index] for index in own],
                        [statistics[index][0] for index in own],
                    ),
                    strict=True,
                )
            )
            results = []
            for index, (term, share, factor, (mean, variance)) in enumerate(
                zip(terms, shares, factors, statistics, strict=True)
            ):
                if index in products:
                    gamma = _per_channel(share, width)
                    g_term, g_gamma, _ = gradient_of_sums(
                        g, term, mean, variance, gamma, sums, products[index]
                    )
                    results.append((g_term, _per_edge(g_gamma, share)))
                else:
                    results.append(
                        _gradients_of_shared(
                            g, term, share, factor, mean, variance, sums,
                            normalized[index],
                        )
                    )  # fmt: skip
            g_terms, g_shares = zip(*results, strict=True)
            return *g_terms, *g_shares

        return (y, *tf.nest.flatten(statistics)), gradient

    # With one edge a shared tensor is as wide as an edge's own.
    width = max(term.shape[-1] for term in terms)
    y, *flat = run(*terms, *shares)
    return y, list(zip(flat[::2], flat[1::2], strict=True))


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


def _gradients_of_shared(g, term, share, factor, mean, variance, sums, wanted):
    channels = term.shape[-1]
    edges = share.shape[0]
    # Row c, edge t, channel d: only c = d is met.
    products = tf.matmul(
        elementwise.wide(tf.reshape(term, (-1, channels))),
        elementwise.wide(tf.reshape(g, (-1, g.shape[-1]))),
        transpose_a=True,
    )
    products *= spreading(tf.ones_like(factor), channels)
    products = tf.reshape(tf.reduce_sum(products, 0), (edges, channels))
    sums = tf.reshape(sums, (edges, channels))
    back = tf.transpose(spreading(factor, channels))
    g_term = matmul(g, tf.cast(back, g.dtype))
    if not wanted:
        return g_term, tf.reduce_sum(products, -1)
    inverse = inverse_deviation(variance)
    products = (products - mean * sums) * inverse
    n = values_per_channel(term)
    g_sums = tf.reduce_sum(share[:, None] * sums, 0)
    g_products = tf.reduce_sum(share[:, None] * products, 0)
    slope = -tf.square(inverse) * g_products / n
    g_term = elementwise.linear_combination(
        -inverse * g_sums / n - slope * mean, [None, slope], [g_term, term]
    )
    return g_term, tf.reduce_sum(products, -1)


def _per_channel(share, width):
    edges = share.shape[0]
    return tf.gather(share, np.repeat(np.arange(edges), width // edges))


def _per_edge(values, share):
    return tf.reduce_sum(tf.reshape(values, (share.shape[0], -1)), -1)
