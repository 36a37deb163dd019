"""Partial channels: a part of a node's channels is mixed, the rest passes by.

PC-DARTS (Xu et al., ICLR 2020), on every edge:

    first C / K channels --- mixed operation ---+
                                                |-- concatenated, shuffled
    other channels ----- as they are, or -------+
                         pooled 2 x 2 at stride 2
"""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.edges import NUM_INPUTS
from emotion_nas_tf.search_space.mixed_op import MixedOperation
from emotion_nas_tf.search_space.parts import Parts, each, shape_of_each
from emotion_nas_tf.search_space.strengths import softmax


class PartialChannels(keras.layers.Layer):
    """The edges that leave one node, with a part of its channels mixed.

    Takes and returns what `MixedOperation` does.

    Args:
      channels: channels C of the node and of each edge.
      stride: of these edges.
      num_edges: edges T leaving the node.
      partition: K, of which C is a multiple.
    """

    def __init__(
        self,
        channels: int,
        stride: int,
        num_edges: int,
        partition: int,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if channels % partition:
            raise ValueError(
                f"{channels} channels cannot be divided by {partition}."
            )
        self.channels, self.stride = channels, stride
        self.num_edges, self.partition = num_edges, partition
        # Keras would round the weights of the operations.
        self._convert_input_args = False
        self.mixed = MixedOperation(
            channels // partition, stride, num_edges, name="mixed"
        )

    def build(self, input_shape: tuple) -> None:
        """Builds the mixed operation."""
        input_shape = shape_of_each(input_shape)
        part = self.channels // self.partition
        self.mixed.build((*input_shape[:-1], part))
        self.mixed.built = True

    def call(
        self,
        x: Parts,
        weights: tf.Tensor,
        carried: Parts | None = None,
        shares: tf.Tensor | None = None,
        training: bool = False,
    ) -> Parts:
        """Maps (batch, frequency, time, C) to T * C channels.

        Args:
          x: the node; in parts only in training.
          weights: (T, 8) operation weights.
          carried: what has arrived from other nodes, added to the result.
          shares: (T,) factors of the edges' results; None for 1.
          training: batch statistics in the normalisations.
        """
        part = self.channels // self.partition
        mixed = self.mixed(
            each(lambda x: x[..., :part], x), weights, training=training
        )

        def join(x, mixed, *carried):
            passed = x[..., part:]
            if self.stride == 2:
                # Odd sizes round up, as those of the operations do.
                passed = tf.nn.max_pool2d(passed, 2, 2, "SAME")
            edges = [
                self._shuffle(tf.concat([edge, passed], -1))
                for edge in tf.split(mixed, self.num_edges, axis=-1)
            ]
            y = tf.concat(edges, -1)
            if shares is not None:
                y *= tf.cast(tf.repeat(shares, self.channels), y.dtype)
            return sum(carried, y)

        further = () if carried is None else (carried,)
        return each(join, x, mixed, *further)

    def _shuffle(self, x: tf.Tensor) -> tf.Tensor:
        """Every next edge mixes channels that passed by here.

        Channel g * C / K + j becomes channel j * K + g.
        """
        order = np.arange(self.channels).reshape(self.partition, -1)
        return tf.gather(x, order.T.ravel(), axis=-1)


def edge_shares(logits: tf.Tensor, num_nodes: int) -> tf.Tensor:
    """Edge normalisation: a softmax over the edges that enter a node.

    Args:
      logits: (edges,) beta, ordered by target node, then source.
      num_nodes: N.

    Returns:
      (edges,); those of a node add up to one.
    """
    sizes = [NUM_INPUTS + node for node in range(num_nodes)]
    parts = tf.split(logits, sizes)
    return tf.concat([tf.nn.softmax(part) for part in parts], 0)


def edge_strengths(logits: np.ndarray, num_nodes: int) -> np.ndarray:
    """The same in NumPy."""
    sizes = [NUM_INPUTS + node for node in range(num_nodes)]
    parts = np.split(logits, np.cumsum(sizes)[:-1])
    return np.concatenate([softmax(part) for part in parts])
