"""A convolutional network as people draw it, of a derived network's size.

    (140, 140, 1) -> BN -> 4 x (5x5 convolution by 2, BN, ReLU) -> mean -> dense
                           2w, 3w, 4w and 6w channels

What searching has to beat beside a random cell: no cell, no search.
"""

import functools
import itertools

import keras
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.drop_path import DropPath
from emotion_nas_tf.networks.parameters import parameters
from emotion_nas_tf.search_space.genotype import random_genotype

_KERNEL = 5
_MULTIPLES = (2, 3, 4, 6)
_DRAWN_CELLS = 100


class HandDesignedNetwork(keras.Model):
    """Four strided convolutions.

    The first normalisation is of the features: their scale is that of the
    front end.

    Args:
      width: w.
      num_classes: logits.
    """

    def __init__(self, width: int, num_classes: int, **kwargs):
        super().__init__(**kwargs)
        layers = keras.layers
        # The momentum is that of derived networks: trainings are short.
        self.input_normalization = layers.BatchNormalization(momentum=0.9)
        self.convolutions = [
            layers.Conv2D(multiple * width, _KERNEL, 2, "same", use_bias=False)
            for multiple in _MULTIPLES
        ]
        self.normalizations = [
            layers.BatchNormalization(momentum=0.9) for _ in _MULTIPLES
        ]
        self.classifier = layers.Dense(num_classes, name="classifier")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps (batch, frequency, time, 1) to (batch, classes) logits."""
        x = self.input_normalization(x, training=training)
        for convolution, normalization in zip(
            self.convolutions, self.normalizations, strict=True
        ):
            x = tf.nn.relu(normalization(convolution(x), training=training))
        return self.classifier(tf.reduce_mean(x, [1, 2]))

    def drop_paths(self, drop_path: DropPath) -> None:
        """Does nothing: it has no edges."""


def build_cnn(
    width: int, num_classes: int, input_shape: tuple[int, int] = (140, 140)
) -> HandDesignedNetwork:
    """The network with its weights.

    Args:
      width: w.
      num_classes: logits.
      input_shape: (frequency, time) it is built on; it takes any other too.
    """
    network = HandDesignedNetwork(width, num_classes)
    network(tf.zeros((1, *input_shape, 1), keras.config.floatx()))
    return network


def cnn_parameters(width: int, num_classes: int) -> int:
    """Its trainable weights, counted from its structure."""
    channels = [1, *(multiple * width for multiple in _MULTIPLES)]
    convolutions = sum(
        _KERNEL**2 * before * after
        for before, after in itertools.pairwise(channels)
    )
    # Scale and offset of each normalisation.
    return convolutions + 2 * sum(channels) + (channels[-1] + 1) * num_classes


@functools.cache
def matching_width(network: NetworkConfig, num_classes: int) -> int:
    """The width whose network is nearest in size to derived ones.

    Their size depends on the cells: the mean of 100 drawn ones is taken, so
    that the network is one and the same for all tests of a run.

    Args:
      network: size of the derived networks.
      num_classes: logits.
    """
    sizes = [
        parameters(
            network, num_classes, random_genotype(seed, network.num_nodes)
        ).total
        for seed in range(_DRAWN_CELLS)
    ]
    wanted = sum(sizes) / len(sizes)
    width = 1
    while cnn_parameters(width + 1, num_classes) <= wanted:
        width += 1
    return min(
        (width, width + 1),
        key=lambda w: abs(cnn_parameters(w, num_classes) - wanted),
    )
