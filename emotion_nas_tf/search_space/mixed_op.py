"""The mixed operation: every candidate at once, weighted by alpha (Eq. 2)."""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.genotype import OPERATION_NAMES
from emotion_nas_tf.search_space.mixed_pieces import mixed_pieces
from emotion_nas_tf.search_space.mixed_sum import mixed_sum
from emotion_nas_tf.search_space.mixing import combine
from emotion_nas_tf.search_space.moments import values_per_channel
from emotion_nas_tf.search_space.normalization import (
    move_running_statistics,
)
from emotion_nas_tf.search_space.operations import OPERATIONS
from emotion_nas_tf.search_space.parts import Parts, shape_of_each
from emotion_nas_tf.search_space.source import Source


class MixedOperation(keras.layers.Layer):
    """All candidate operations on all the edges that leave one node.

    Edges of one node share its ReLU and its poolings, and each operation runs
    once for all of them. Their last batch normalisations, the weights and the
    sum are one step.

    Args:
      channels: channels C of the node and of each edge.
      stride: of these edges.
      num_edges: edges T leaving the node.
    """

    def __init__(self, channels: int, stride: int, num_edges: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.num_edges = num_edges
        self.stride = stride
        # Keras would round the weights of the operations.
        self._convert_input_args = False
        self.operations = {
            name: OPERATIONS[name](
                channels=channels,
                stride=stride,
                num_edges=num_edges,
                search=True,
                name=name,
            )
            for name in OPERATION_NAMES
            # No connection adds nothing to the sum; its weight only takes
            # from the others', through the softmax.
            if name != "none"
        }

    def build(self, input_shape: tuple) -> None:
        """Builds every operation."""
        input_shape = shape_of_each(input_shape)
        for operation in self.operations.values():
            operation.build(input_shape)
            operation.built = True

    def call(
        self,
        x: Parts,
        weights: tf.Tensor,
        carried: Parts | None = None,
        training: bool = False,
    ) -> Parts:
        """Weighted sum of the operations, edge by edge.

        Args:
          x: (batch, frequency, time, C); in parts only in training.
          weights: (T, 8), each row a softmax over `OPERATION_NAMES`.
          carried: what has arrived from other nodes, added to the result.
          training: batch statistics in the normalisations.

        Returns:
          (batch, frequency / stride, time / stride, T * C).
        """
        columns = dict(
            zip(OPERATION_NAMES, tf.unstack(weights, axis=1), strict=True)
        )
        pieces = mixed_pieces(self.channels, self.stride, self.num_edges)
        operations = [self.operations[name] for name in pieces.names]
        shares = [columns[name] for name in pieces.names]
        if not training:
            source = Source(x, self.num_edges)
            terms = [
                operation.unnormalized(source, training)
                for operation in operations
            ]
            further = () if carried is None else (carried,)
            return self._sum_by_running_statistics(
                operations, terms, shares, further
            )
        two = [o for o in operations if o.two_stages]
        parts = x if isinstance(x, tuple) else (x,)
        if carried is not None and not isinstance(carried, tuple):
            carried = (carried,)
        ys, mean, variance = mixed_sum(
            pieces,
            parts,
            tf.stack(shares),
            carried or (),
            [operation.kernels() for operation in operations],
            [operation.second.kernels() for operation in two],
        )
        move_running_statistics(
            [o.first.normalization for o in two]
            + [o.last for o in operations if o.ends_normalized],
            tf.reshape(mean, (-1,)),
            tf.reshape(variance, (-1,)),
            values_per_channel(ys[0]) * len(parts),
        )
        return ys if isinstance(x, tuple) else ys[0]

    def _sum_by_running_statistics(self, operations, terms, shares, further):
        factors, shift = [], 0.0
        for operation, share in zip(operations, shares, strict=True):
            factor = tf.repeat(share, self.channels)
            if operation.last is not None:
                scale, offset = operation.last.running_affine()
                shift += factor * offset
                factor *= scale
            factors.append(factor)
        return combine(terms, factors, shift, further)
