"""The second stage of a separable convolution, from before its ReLU."""

import tensorflow as tf

from emotion_nas_tf.search_space import elementwise
from emotion_nas_tf.search_space.kernel_layout import (
    block_diagonal,
    diagonal_blocks,
    edge_by_edge,
    side_by_side,
)
from emotion_nas_tf.search_space.moments import (
    moments,
    sums_of_pairs,
    values_per_channel,
)
from emotion_nas_tf.search_space.normalization import (
    coefficients,
    inverse_deviation,
)
from emotion_nas_tf.search_space.parts import kernel_gradients
from emotion_nas_tf.search_space.separable import (
    separable_each,
    separable_each_gradients,
)


def rectified_separable(
    x: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    depthwise: tf.Tensor,
    pointwise: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Batch normalisation, ReLU, a separable convolution on every edge.

    One custom gradient, because only `x` needs keeping: the normalised and
    the convolved tensors are cheaper to make again than to hold.

    Args:
      x: (batch, frequency, time, T * C).
      gamma: (T * C,).
      beta: (T * C,).
      depthwise: (T, k, k, C).
      pointwise: (T, C, C).

    Returns:
      The result, as `x`, and mean and biased variance of `x`.
    """
    # Beside the result: as results they would be given gradients of zero.
    statistics = []

    @tf.custom_gradient
    def run(x, gamma, beta, depthwise, pointwise):
        mean, variance = moments(x)
        statistics.extend([mean, variance])
        inverse = inverse_deviation(variance)
        factor = gamma * inverse
        shift = beta - mean * factor
        kernel = side_by_side(depthwise)
        block = block_diagonal(pointwise)
        rectified = elementwise.rectified_affine(x, factor, shift)
        y = separable_each(rectified, kernel, block)

        def gradient(g):
            with kernel_gradients(True):
                g_x, g_kernel, g_block = separable_each_gradients(
                    g,
                    lambda: elementwise.rectified_affine(x, factor, shift),
                    kernel,
                    block,
                )
            # Back through ReLU and normalisation.
            sums, correlations = sums_of_pairs(
                elementwise.rectified_gradient_products(
                    g_x, x, factor, shift, mean
                )
            )
            correlations *= inverse
            line = coefficients(
                sums, correlations, mean, inverse, factor, values_per_channel(x)
            )
            return (
                elementwise.rectified_combination(g_x, x, factor, shift, *line),
                correlations,
                sums,
                edge_by_edge(g_kernel, depthwise.shape[0]),
                diagonal_blocks(g_block, pointwise.shape[0]),
            )

        return y, gradient

    return run(x, gamma, beta, depthwise, pointwise), *statistics
