"""Partial channels: a part of a node's channels is mixed, the rest passes by.

PC-DARTS (Xu et al., ICLR 2020), on every edge:

    first C / K channels --- mixed operation ---+
                                                |-- concatenated, shuffled
    other channels ----- as they are, or -------+
                         pooled 2 x 2 at stride 2

A GPU rounds all of them as it rounds products.
"""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.edges import NUM_INPUTS
from emotion_nas_tf.search_space.mixed_op import MixedOperation
from emotion_nas_tf.search_space.parts import Parts, each, shape_of_each
from emotion_nas_tf.search_space.primitives import matmul
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

        joining = self._joining()
        if shares is not None:
            joining *= tf.repeat(shares, self.channels)

        def join(x, mixed, *carried):
            passed = x[..., part:]
            if self.stride == 2:
                # Odd sizes round up, as those of the operations do.
                passed = tf.nn.max_pool2d(passed, 2, 2, "SAME")
            both = tf.concat([mixed, passed], -1)
            y = matmul(both, tf.cast(joining, both.dtype))
            return sum(carried, y)

        further = () if carried is None else (carried,)
        return each(join, x, mixed, *further)

    def _joining(self) -> tf.Tensor:
        """(T * C / K + C - C / K, T * C) zeros and ones: who goes where.

        Of every edge the mixed channels, then those that pass by, shuffled:
        channel g * C / K + j becomes channel j * K + g, so that every next
        edge mixes channels that passed by here. A product, because to
        gather channels, edge by edge, cost all that was saved.
        """
        columns = np.arange(self.channels)
        order = columns.reshape(self.partition, -1).T.ravel()
        part = self.channels // self.partition
        mixed = np.arange(self.num_edges * part).reshape(self.num_edges, part)
        passed = mixed.size + np.arange(self.channels - part)
        joining = np.zeros(
            (mixed.size + passed.size, self.num_edges, self.channels)
        )
        for edge, own in enumerate(mixed):
            joining[np.concatenate([own, passed])[order], edge, columns] = 1
        return tf.constant(
            joining.reshape(-1, self.num_edges * self.channels),
            self.variable_dtype,
        )


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
