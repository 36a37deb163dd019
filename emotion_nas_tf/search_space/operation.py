"""What all candidate operations of a cell share."""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.convolution import fan_in_uniform
from emotion_nas_tf.search_space.normalization import BatchNormalization
from emotion_nas_tf.search_space.source import Source


class Operation(keras.layers.Layer):
    """What all operations share.

    Args:
      channels: channels C of the input and of each edge's output.
      stride: 1 or 2, in frequency and time.
      num_edges: edges T leaving the node.
      search: in the search network, whose batch normalisations learn neither
        scale nor offset and follow poolings too.
    """

    def __init__(
        self,
        channels: int,
        stride: int,
        num_edges: int = 1,
        search: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if stride not in (1, 2):
            raise ValueError(f"stride must be 1 or 2. Received: {stride}")
        self.channels = channels
        self.stride = stride
        self.num_edges = num_edges
        self.search = search

    # Whether two convolutions follow one another, with a batch normalisation
    # between them.
    two_stages = False
    # The batch normalisation that ends it, once built and if one does.
    last: BatchNormalization | None = None

    def add_kernel(self, name: str, shape: tuple, fan_in: int):
        """A weight drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
        return self.add_weight(
            name=name, shape=shape, initializer=fan_in_uniform(fan_in)
        )

    def inherit(self, other: "Operation", edge: int = 0) -> None:
        """Takes over the weights of one edge of a wider layer of its kind."""

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Applies the operation.

        Args:
          x: (batch, frequency, time, C).
          training: batch statistics in the normalisations.
        """
        y = self.unnormalized(Source(x, self.num_edges), training)
        return y if self.last is None else self.last(y, training=training)

    def unnormalized(self, source: Source, training: bool) -> tf.Tensor:
        """The operation without its last batch normalisation.

        In evaluation the mixed operation normalises, weights and adds in one
        go.

        Args:
          source: the node's value, (batch, frequency, time, C).
          training: batch statistics in the normalisations before the last.
        """
        kernels = self.kernels()
        return self.begin(source, *kernels, *self.lay_out(*kernels))

    @property
    def ends_normalized(self) -> bool:
        """Whether a batch normalisation ends it."""
        return True

    def kernels(self) -> tuple[tf.Tensor, ...]:
        """What `begin` takes beside the node's value."""
        return ()

    def lay_out(self, *kernels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """What `begin` takes beside its kernels, made of them.

        By itself, because a batch in parts needs it only once. No gradient
        flows through it.
        """
        return ()

    def begin(self, source: Source, *tensors: tf.Tensor) -> tf.Tensor:
        """The operation up to its first batch normalisation.

        Args:
          source: the node's value, (batch, frequency, time, C).
          *tensors: of `kernels`, then of `lay_out`.
        """
        raise NotImplementedError
