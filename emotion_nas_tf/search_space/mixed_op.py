"""The mixed operation: every candidate at once, weighted by alpha (Eq. 2)."""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.convolution import pointwise
from emotion_nas_tf.search_space.genotype import OPERATION_NAMES
from emotion_nas_tf.search_space.operations import OPERATIONS


class MixedOperation(keras.layers.Layer):
    """All candidate operations on all the edges that leave one node.

    Edges of one node share its ReLU and its poolings, and each operation runs
    once for all of them. The weights of the operations without parameters
    are applied by one small matrix product, the others' by their last batch
    normalisation.

    Args:
      channels: channels C of the node and of each edge.
      stride: of these edges.
      num_edges: edges T leaving the node.
    """

    def __init__(self, channels: int, stride: int, num_edges: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.num_edges = num_edges
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
        for operation in self.operations.values():
            operation.build(input_shape)
            operation.built = True

    def call(
        self, x: tf.Tensor, weights: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Weighted sum of the operations, edge by edge.

        Args:
          x: (batch, frequency, time, C).
          weights: (T, 8), each row a softmax over `OPERATION_NAMES`.
          training: batch statistics in the normalisations.

        Returns:
          (batch, frequency / stride, time / stride, T * C).
        """
        rectified = tf.nn.relu(x)
        shared, shared_weights, terms = [], [], []
        for index, name in enumerate(OPERATION_NAMES):
            if name not in self.operations:
                continue
            operation = self.operations[name]
            if operation.shared_by_edges(training):
                shared.append(operation(x, training=training))
                shared_weights.append(weights[:, index])
            else:
                scale = tf.repeat(weights[:, index], self.channels)
                terms.append(
                    operation(
                        x, scale=scale, rectified=rectified, training=training
                    )
                )
        if shared:
            terms.append(self._mix(shared, shared_weights))
        return tf.add_n(terms)

    def _mix(self, tensors, weights):
        """Sum over operations o of weight[t, o] * tensor[o], for every t."""
        identity = tf.eye(self.channels, dtype=tensors[0].dtype)
        kernel = tf.einsum("ot,cd->octd", tf.stack(weights), identity)
        rows = len(tensors) * self.channels
        return pointwise(
            tf.concat(tensors, -1),
            tf.reshape(kernel, (rows, self.num_edges * self.channels)),
        )
