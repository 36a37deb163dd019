"""Cells: two inputs, four nodes, their concatenation.

Both inputs pass ReLU, 1x1 convolution and batch normalisation first; the older
one is halved when the cell before was a reduction cell. In a reduction cell
only the edges from the two inputs have stride 2.
"""

import functools
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.convolution import fan_in_uniform
from emotion_nas_tf.search_space.edges import NUM_INPUTS
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.mixed_op import MixedOperation
from emotion_nas_tf.search_space.normalization import BatchNormalization
from emotion_nas_tf.search_space.operations import (
    OPERATIONS,
    FactorizedReduction,
    Identity,
)
from emotion_nas_tf.search_space.partial_channels import PartialChannels
from emotion_nas_tf.search_space.parts import Parts, each, shape_of_each
from emotion_nas_tf.search_space.primitives import matmul


class ReluConvolution(keras.layers.Layer):
    """ReLU, 1x1 convolution to `channels`, BN.

    Args:
      channels: of the output.
      affine: whether BN learns scale and offset.
    """

    def __init__(self, channels: int, affine: bool, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.normalization = BatchNormalization(affine)

    def build(self, input_shape: tuple) -> None:
        """Creates the (C_in, channels) kernel."""
        input_shape = shape_of_each(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.channels),
            initializer=fan_in_uniform(input_shape[-1]),
        )
        self.normalization.build((*input_shape[:-1], self.channels))

    def inherit(self, other: "ReluConvolution") -> None:
        """Takes over another layer's weights."""
        self.kernel.assign(other.kernel)
        self.normalization.inherit(other.normalization)

    def call(self, x: Parts, training: bool = False) -> Parts:
        """Maps (..., C_in) to (..., channels)."""
        kernel = tf.convert_to_tensor(self.kernel.value)
        y = each(lambda x: matmul(tf.nn.relu(x), kernel), x)
        return self.normalization(y, training=training)


def preprocess(
    channels: int, halve: bool, search: bool, name: str
) -> keras.layers.Layer:
    """The layer through which a cell takes one of its inputs."""
    if halve:
        return FactorizedReduction(
            channels=channels, stride=2, search=search, name=name
        )
    return ReluConvolution(channels, affine=not search, name=name)


class SearchCell(keras.layers.Layer):
    """A cell in which every edge is a mixed operation.

    Args:
      channels: channels C of a node.
      reduction: halve frequency and time.
      after_reduction: the cell before was a reduction cell.
      num_nodes: intermediate nodes N.
      partial_channels: K: a K-th of a node's channels is mixed, see
        `PartialChannels`; 1 for all.
    """

    def __init__(
        self,
        channels: int,
        reduction: bool,
        after_reduction: bool,
        num_nodes: int = 4,
        partial_channels: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.reduction = reduction
        self.num_nodes = num_nodes
        # Keras would round the weights of the operations.
        self._convert_input_args = False
        self.preprocess0 = preprocess(
            channels, after_reduction, search=True, name="preprocess0"
        )
        self.preprocess1 = preprocess(
            channels, False, search=True, name="preprocess1"
        )
        mixed = MixedOperation
        if partial_channels > 1:
            mixed = functools.partial(
                PartialChannels, partition=partial_channels
            )
        self.mixed = [
            mixed(
                channels,
                stride=2 if reduction and source < NUM_INPUTS else 1,
                num_edges=len(list(edges_leaving(source, num_nodes))),
                name=f"from_{source}",
            )
            for source in range(NUM_INPUTS + num_nodes - 1)
        ]

    def call(
        self,
        previous2: Parts,
        previous1: Parts,
        weights: tf.Tensor,
        shares: tf.Tensor | None = None,
        training: bool = False,
    ) -> Parts:
        """Runs the cell.

        Args:
          previous2: c_{k-2}.
          previous1: c_{k-1}.
          weights: (edges, 8), softmax over the last axis; edges ordered by
            target node, then source.
          shares: (edges,) factors of the edges' results; None for 1.
          training: batch statistics in the normalisations.

        Returns:
          (batch, frequency / stride, time / stride, N * C).
        """
        states = [
            self.preprocess0(previous2, training=training),
            self.preprocess1(previous1, training=training),
        ]
        # What has arrived at the nodes that are not complete, side by side.
        carried = None
        for source, mixed in enumerate(self.mixed):
            rows = [row for _, row in edges_leaving(source, self.num_nodes)]
            further = {}
            if shares is not None:
                further["shares"] = tf.gather(shares, rows)
            carried = mixed(
                states[source],
                tf.gather(weights, rows),
                carried,
                training=training,
                **further,
            )
            if source >= NUM_INPUTS - 1:
                # Its last edge has arrived: the next node is complete.
                node, carried = self._first_node(carried, len(rows))
                states.append(node)
        return each(lambda *nodes: tf.concat(nodes, -1), *states[NUM_INPUTS:])

    @staticmethod
    def _first_node(values, nodes):
        """The first of several nodes' values, and the others'."""
        if nodes == 1:
            return values, None

        def split(values):
            channels = values.shape[-1] // nodes
            sizes = [channels, (nodes - 1) * channels]
            return tf.split(values, sizes, axis=-1)

        if not isinstance(values, tuple):
            return split(values)
        return tuple(zip(*each(split, values), strict=True))


def edges_leaving(source: int, num_nodes: int) -> Iterator[tuple[int, int]]:
    """(target node, row of alpha) of the edges that leave state `source`.

    States count the two inputs, target nodes do not.
    """
    row = 0
    for node in range(num_nodes):
        if source < NUM_INPUTS + node:
            yield node, row + source
        row += NUM_INPUTS + node


class DerivedCell(keras.layers.Layer):
    """A cell of a genotype.

    Args:
      genotype: both cells; `reduction` picks one.
      channels: channels C of a node.
      reduction: halve frequency and time.
      after_reduction: the cell before was a reduction cell.
    """

    def __init__(
        self,
        genotype: Genotype,
        channels: int,
        reduction: bool,
        after_reduction: bool,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.reduction = reduction
        cell = "reduce" if reduction else "normal"
        self.edges = getattr(genotype, cell)
        self.concat = getattr(genotype, f"{cell}_concat")
        # The node that each edge enters, inputs not counted.
        self.targets = [
            node
            for node, edges in enumerate(genotype.nodes(cell))
            for _ in edges
        ]
        self.entering = [
            self._connected(node) for node in range(len(genotype.nodes(cell)))
        ]
        self.preprocess0 = preprocess(
            channels, after_reduction, search=False, name="preprocess0"
        )
        self.preprocess1 = preprocess(
            channels, False, search=False, name="preprocess1"
        )
        self.operations = [
            OPERATIONS[operation](
                channels=channels,
                stride=2 if reduction and source < NUM_INPUTS else 1,
                name=f"edge_{index}_{operation}",
            )
            for index, (operation, source) in enumerate(self.edges)
        ]
        for index, layer in enumerate(self.operations):
            # Never called: Keras would take the cell for half built.
            layer.built = not any(index in edges for edges in self.entering)
        # (edge, its result) -> what is left of it, in training.
        self.drop_path: Callable[[int, tf.Tensor], tf.Tensor] | None = None

    def inherit(self, other: SearchCell) -> None:
        """Takes over, edge by edge, the weights of the found operations."""
        self.preprocess0.inherit(other.preprocess0)
        self.preprocess1.inherit(other.preprocess1)
        for index, (operation, source) in enumerate(self.edges):
            # `none` has nothing to hand on.
            if operation == "none":
                continue
            targets = [
                node for node, _ in edges_leaving(source, other.num_nodes)
            ]
            self.operations[index].inherit(
                other.mixed[source].operations[operation],
                targets.index(self.targets[index]),
            )

    def call(
        self,
        previous2: tf.Tensor,
        previous1: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Maps c_{k-2} and c_{k-1} to c_k, nodes concatenated."""
        states = [
            self.preprocess0(previous2, training=training),
            self.preprocess1(previous1, training=training),
        ]
        for entering in self.entering:
            states.append(
                tf.add_n(
                    [
                        self._follow(index, states, training)
                        for index in entering
                    ]
                )
            )
        return tf.concat([states[node] for node in self.concat], -1)

    def _connected(self, node: int) -> list[int]:
        """Edges whose results are added up: zeros only where all are."""
        entering = [i for i, t in enumerate(self.targets) if t == node]
        connected = [i for i in entering if self.edges[i][0] != "none"]
        return connected or entering[:1]

    def _follow(self, index, states, training):
        """The result of one edge."""
        operation = self.operations[index]
        y = operation(states[self.edges[index][1]], training=training)
        # As published, an identity is never dropped.
        if training and self.drop_path and not isinstance(operation, Identity):
            return self.drop_path(index, y)
        return y
