"""Weighting and summation of many tensors, and products with them.

Tensors of an edge's own have T * C channels, edge after edge; a tensor with C
channels is the same for all T edges.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.moments import sums_of_pairs
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


def products_with_deviations(
    g: tf.Tensor, terms: Sequence[tf.Tensor], means: Sequence[tf.Tensor]
) -> list[tf.Tensor]:
    """Sums over all but the channels of g * (term - its mean), (T * C,) each.

    Two at a time, so that `g` is read half as often.

    Args:
      g: (batch, frequency, time, T * C).
      terms: like `g`.
      means: (T * C,) each.
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


def products_with_shared(g: tf.Tensor, term: tf.Tensor) -> tf.Tensor:
    """Sums over all but the channels of g * term, edge after edge: (T * C,).

    Args:
      g: (batch, frequency, time, T * C).
      term: (batch, frequency, time, C), the same for all edges.
    """
    channels, width = term.shape[-1], g.shape[-1]
    # Row c, edge t, channel d: only c = d is met.
    sums = products(elementwise.wide(term), elementwise.wide(g))
    met = np.tile(np.eye(channels), [1, width // channels])
    return tf.reduce_sum(sums * tf.constant(met, sums.dtype), 0)
