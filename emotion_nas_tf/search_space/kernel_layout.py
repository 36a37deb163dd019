"""How the kernels of several edges are laid out for one convolution.

Kernels are held edge by edge: depthwise (T, k, k, C), pointwise (T, C, C).
Side by side, the channels of T edges are ordered edge by edge.
"""

import numpy as np
import tensorflow as tf


def composed(depthwise: tf.Tensor, pointwise: tf.Tensor) -> tf.Tensor:
    """The dense kernel of both: (k, k, C, T * C)."""
    edges, size, _, channels = depthwise.shape
    factors = tf.expand_dims(tf.transpose(depthwise, (1, 2, 3, 0)), -1)
    kernel = factors * tf.transpose(pointwise, (1, 0, 2))
    return tf.reshape(kernel, (size, size, channels, edges * channels))


def gradients_of_factors(
    g_dense: tf.Tensor, depthwise: tf.Tensor, pointwise: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """From the gradient of `composed`'s result to those of its arguments."""
    edges, size, _, channels = depthwise.shape
    g = tf.reshape(g_dense, (size, size, channels, edges, channels))
    # Ordered edge, k, k, C, C.
    g = tf.transpose(g, (3, 0, 1, 2, 4))
    return (
        tf.reduce_sum(
            g * tf.reshape(pointwise, (edges, 1, 1, channels, channels)), -1
        ),
        tf.reduce_sum(g * tf.expand_dims(depthwise, -1), (1, 2)),
    )


def side_by_side(depthwise: tf.Tensor) -> tf.Tensor:
    """(T, k, k, C) as the depthwise kernel (k, k, T * C, 1)."""
    size = depthwise.shape[1]
    kernel = tf.transpose(depthwise, (1, 2, 0, 3))
    return tf.reshape(kernel, (size, size, -1, 1))


def edge_by_edge(kernel: tf.Tensor, edges: int) -> tf.Tensor:
    """(k, k, T * C, 1) as (T, k, k, C)."""
    size, _, channels, _ = kernel.shape
    kernel = tf.reshape(kernel, (size, size, edges, channels // edges))
    return tf.transpose(kernel, (2, 0, 1, 3))


def block_diagonal(pointwise: tf.Tensor) -> tf.Tensor:
    """(T, C, C) as (T * C, T * C), zero between edges."""
    edges, channels, _ = pointwise.shape
    if edges == 1:
        return pointwise[0]
    # Every block in every column, and all but the diagonal ones zeroed.
    width = edges * channels
    matrix = tf.tile(tf.reshape(pointwise, (width, channels)), [1, edges])
    return matrix * _blocks(edges, channels, matrix.dtype)


def interleaved(depthwise: tf.Tensor) -> tf.Tensor:
    """(T, k, k, C) as the depthwise kernel (k, k, C, T).

    The results of a channel stand together, an edge after the other.
    """
    return tf.transpose(depthwise, (1, 2, 3, 0))


def interleaved_blocks(pointwise: tf.Tensor) -> tf.Tensor:
    """`block_diagonal` of (T, C, C) for rows in the order of `interleaved`."""
    edges, channels, _ = pointwise.shape
    width = edges * channels
    matrix = tf.reshape(block_diagonal(pointwise), (edges, channels, width))
    return tf.reshape(tf.transpose(matrix, (1, 0, 2)), (-1, width))


def diagonal_blocks(matrix: tf.Tensor, edges: int) -> tf.Tensor:
    """The (T, C, C) blocks on the diagonal of (T * C, T * C)."""
    if edges == 1:
        return matrix[None]
    channels = matrix.shape[0] // edges
    blocks = tf.reshape(
        matrix * _blocks(edges, channels, matrix.dtype),
        (edges, channels, edges, channels),
    )
    return tf.reduce_sum(blocks, 2)


def _blocks(edges, channels, dtype):
    """One in the blocks on the diagonal, zero elsewhere."""
    blocks = np.kron(np.eye(edges), np.ones((channels, channels)))
    return tf.constant(blocks, dtype)
