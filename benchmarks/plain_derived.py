"""The derived network as it is usually written down in Keras.

A `keras.layers` layer for each ReLU, depthwise, pointwise and normalisation of
each edge. It takes its weights from a `DerivedNetwork`, so that both can be
compared in output before they are compared in time.
"""

import keras
import numpy as np
from keras import layers, ops

from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.search_space.genotype import EDGES_PER_NODE


class _Builder:
    """Makes layers, and notes which weights of the network they take."""

    def __init__(self):
        self.weights = []

    def make(self, layer, *weights):
        self.weights.append((layer, weights))
        return layer

    def set_weights(self):
        for layer, weights in self.weights:
            layer.set_weights(
                [
                    np.reshape(weight, variable.shape)
                    for weight, variable in zip(
                        weights, layer.weights, strict=True
                    )
                ]
            )

    def normalization(self, ours):
        layer = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        return self.make(
            layer, ours.gamma, ours.beta, ours.moving_mean, ours.moving_variance
        )

    def pointwise(self, kernel):
        channels = kernel.shape[-1]
        layer = layers.Conv2D(channels, 1, use_bias=False)
        return self.make(layer, kernel)

    def relu_convolution(self, ours, x):
        y = self.pointwise(ours.kernel)(layers.ReLU()(x))
        return self.normalization(ours.normalization)(y)

    def reduction(self, ours, x):
        x = layers.ReLU()(x)
        # Sliced before the convolution: see `FactorizedReduction`. Sizes are
        # even here.
        halves = [
            self.pointwise(ours.even)(x[:, ::2, ::2]),
            self.pointwise(ours.odd)(x[:, 1::2, 1::2]),
        ]
        return self.normalization(ours.last)(ops.concatenate(halves, -1))

    def stage(self, ours, x, stride=1, dilation=1):
        x = layers.ReLU()(x)
        size = ours.depthwise.shape[1]
        if stride == 2 and dilation == 2:
            # Keras refuses the two together; every tap is on an even place.
            x, stride, dilation = x[:, ::2, ::2], 1, 1
        padding = "same"
        if stride == 2:
            x, padding = layers.ZeroPadding2D(size // 2)(x), "valid"
        depthwise = layers.DepthwiseConv2D(
            size, stride, padding, dilation_rate=dilation, use_bias=False
        )
        y = self.make(depthwise, ours.depthwise)(x)
        y = self.pointwise(ours.pointwise)(y)
        return self.normalization(ours.normalization)(y)

    def operation(self, name, ours, x):
        if name == "none":
            return ops.zeros_like(x[:, :: ours.stride, :: ours.stride])
        if name == "skip_connect":
            return x if ours.stride == 1 else self.reduction(ours, x)
        if name.startswith("sep_conv"):
            return self.stage(
                ours.second, self.stage(ours.first, x, ours.stride)
            )
        if name.startswith("dil_conv"):
            return self.stage(ours.stage, x, ours.stride, dilation=2)
        if ours.stride == 1:
            kind = {
                "max_pool_3x3": layers.MaxPooling2D,
                "avg_pool_3x3": layers.AveragePooling2D,
            }[name]
            return kind(3, 1, "same")(x)
        border = ((0, 0), (1, 1), (1, 1), (0, 0))
        if name == "max_pool_3x3":
            padded = ops.pad(x, border, constant_values=-np.inf)
            return layers.MaxPooling2D(3, 2)(padded)
        inside = np.zeros((1, x.shape[1] + 2, x.shape[2] + 2, 1), "f4")
        inside[:, 1:-1, 1:-1] = 1
        count = ops.average_pool(inside, 3, 2)
        return layers.AveragePooling2D(3, 2)(ops.pad(x, border)) / count

    def cell(self, ours, older, newer):
        first = (
            self.reduction
            if hasattr(ours.preprocess0, "even")
            else self.relu_convolution
        )
        states = [
            first(ours.preprocess0, older),
            self.relu_convolution(ours.preprocess1, newer),
        ]
        for first in range(0, len(ours.edges), EDGES_PER_NODE):
            arriving = [
                self.operation(name, operation, states[source])
                for (name, source), operation in list(
                    zip(ours.edges, ours.operations, strict=True)
                )[first : first + EDGES_PER_NODE]
            ]
            states.append(layers.Add()(arriving))
        return ops.concatenate([states[node] for node in ours.concat], -1)


def plain_network(ours: DerivedNetwork, size: int) -> keras.Model:
    """The same network, with the same weights, for (size, size, 1)."""
    builder = _Builder()
    inputs = layers.Input((size, size, 1))
    stem = layers.Conv2D(ours.stem_channels, 3, padding="same", use_bias=False)
    y = builder.make(stem, ours.stem)(inputs)
    y = builder.normalization(ours.stem_normalization)(y)
    outputs = [y, y]
    for cell in ours.cells:
        outputs.append(builder.cell(cell, *outputs[-2:]))
    classifier = ours.classifier
    dense = builder.make(
        layers.Dense(classifier.units), classifier.kernel, classifier.bias
    )
    pooled = layers.GlobalAveragePooling2D()(outputs[-1])
    network = keras.Model(inputs, dense(pooled))
    builder.set_weights()
    return network
