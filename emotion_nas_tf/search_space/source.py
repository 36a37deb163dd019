"""The node that edges leave, and what several operations make of it."""

import functools

import tensorflow as tf

from emotion_nas_tf.search_space.primitives import repeat


class Source:
    """A node's value; each derived tensor is made once, when first asked for.

    Args:
      value: (batch, frequency, time, C).
      num_edges: edges T leaving the node.
    """

    def __init__(self, value: tf.Tensor, num_edges: int):
        self.value = value
        self.num_edges = num_edges

    @functools.cached_property
    def rectified(self) -> tf.Tensor:
        """max(value, 0)."""
        return tf.nn.relu(self.value)

    @functools.cached_property
    def repeated(self) -> tf.Tensor:
        """`rectified`, once for every edge: T * C channels."""
        return repeat(self.rectified, self.num_edges)

    @functools.cached_property
    def phases(self) -> tf.Tensor:
        """The four grids of every second position, side by side: 4 * C.

        Of `rectified`: even rows and columns, even and odd, odd and even, odd
        and odd. An odd size is filled up with zeros.
        """
        shape = tf.shape(self.rectified)
        filled = self.rectified
        if any(size is None or size % 2 for size in self.value.shape[1:3]):
            filled = tf.pad(
                filled,
                [[0, 0], [0, shape[1] % 2], [0, shape[2] % 2], [0, 0]],
            )
        return tf.nn.space_to_depth(filled, 2)

    @functools.cached_property
    def even(self) -> tf.Tensor:
        """`rectified` at even rows and columns."""
        return self.phases[..., : self.value.shape[-1]]

    @functools.cached_property
    def even_repeated(self) -> tf.Tensor:
        """`even`, once for every edge: T * C channels."""
        return repeat(self.even, self.num_edges)
