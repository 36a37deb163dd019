"""The node that edges leave, and what several operations make of it."""

import functools

import tensorflow as tf

from emotion_nas_tf.search_space.primitives import grids, repeat


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
    def even_and_odd(self) -> tuple[tf.Tensor, tf.Tensor]:
        """`rectified` at even rows and columns, and at odd ones.

        An odd size is filled up with zeros.
        """
        return grids(self.rectified)

    @property
    def even(self) -> tf.Tensor:
        """`rectified` at even rows and columns."""
        return self.even_and_odd[0]

    @functools.cached_property
    def even_repeated(self) -> tf.Tensor:
        """`even`, once for every edge: T * C channels."""
        return repeat(self.even, self.num_edges)
