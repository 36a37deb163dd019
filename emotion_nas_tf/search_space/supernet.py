"""The search network: mixed operations everywhere, and alpha."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.cell import SearchCell
from emotion_nas_tf.search_space.edges import OPERATION_NAMES, num_edges
from emotion_nas_tf.search_space.genotype import Genotype, genotype_of_strengths
from emotion_nas_tf.search_space.macro import Backbone
from emotion_nas_tf.search_space.partial_channels import (
    edge_shares,
    edge_strengths,
)
from emotion_nas_tf.search_space.parts import Parts, number_of_parts
from emotion_nas_tf.search_space.penalties import Penalty
from emotion_nas_tf.search_space.recomputation import call_recomputed
from emotion_nas_tf.search_space.relaxation import make_relaxation
from emotion_nas_tf.search_space.skip_cap import cap_skip_connections

# Standard deviation of the initial alphas: nearly equal weights.
ALPHA_INITIAL_STDDEV = 1e-3


class SearchNetwork(Backbone):
    """DARTS' over-parameterised network (paper, section 2.1).

    Alpha is two matrices, (14, 8) each for four nodes: one a cell type, shared
    by all its cells.

    Args:
      num_cells: L.
      num_channels: C.
      num_classes: logits.
      num_nodes: N.
      relaxation: how alpha becomes operation weights; see `relaxation`.
      partial_channels: K: a K-th of a node's channels is mixed (PC-DARTS); then
        the edges that enter a node share a softmax of their own, beta.
      seed: of the relaxation's noise, if it has any.

    Attributes:
      derivation: how `genotype` reads alpha; see `derive_genotype`.
      max_skip_connections: of the normal cell that `genotype` derives; None
        for any number.
      penalties: functions of alpha that are added to its loss.
      recomputes_cells: whether the values inside cells are calculated again
        for the gradient instead of being kept.
    """

    def __init__(
        self,
        num_cells: int = 3,
        num_channels: int = 6,
        num_classes: int = 4,
        num_nodes: int = 4,
        relaxation: str = "softmax",
        partial_channels: int = 1,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(
            lambda **plan: SearchCell(
                num_nodes=num_nodes, partial_channels=partial_channels, **plan
            ),
            num_cells,
            num_channels,
            num_classes,
            num_nodes,
            **kwargs,
        )
        self.derivation = "two_edges"
        self.max_skip_connections: int | None = None
        self.penalties: Sequence[Penalty] = ()
        self.recomputes_cells = False
        self.relaxation = make_relaxation(relaxation, seed)
        self.num_nodes = num_nodes
        shape = (num_edges(num_nodes), len(OPERATION_NAMES))
        self.normal_logits = self._architecture_weight("alphas_normal", shape)
        self.reduce_logits = self._architecture_weight("alphas_reduce", shape)
        self.edge_logits = ()
        if partial_channels > 1:
            self.edge_logits = tuple(
                self._architecture_weight(f"betas_{cell}", shape[:1])
                for cell in ("normal", "reduce")
            )

    def _architecture_weight(self, name: str, shape: tuple) -> keras.Variable:
        normal = keras.initializers.RandomNormal(0.0, ALPHA_INITIAL_STDDEV)
        # Half the bits would not see a step of alpha.
        return self.add_weight(
            name=name, shape=shape, initializer=normal, autocast=False
        )

    @property
    def architecture_weights(self) -> list[keras.Variable]:
        """Alpha, before the softmax (Eq. 1): normal, reduction; then beta."""
        return [self.normal_logits, self.reduce_logits, *self.edge_logits]

    @property
    def network_weights(self) -> list[keras.Variable]:
        """Omega: every trainable weight but alpha."""
        alphas = {id(weight) for weight in self.architecture_weights}
        return [w for w in self.trainable_weights if id(w) not in alphas]

    def number_of_parts(self, x: tf.Tensor, training: bool) -> int:
        """See `Backbone`."""
        return number_of_parts(x.shape[0]) if training else 1

    def call_cell(
        self, cell: keras.layers.Layer, *inputs: Parts, training: bool
    ) -> Parts:
        """See `Backbone`."""
        if self.recomputes_cells and training and cell.built:
            return call_recomputed(cell, *inputs)
        return super().call_cell(cell, *inputs, training=training)

    def cell_arguments(self, training: bool = False) -> tuple[tuple, tuple]:
        """The (edges, 8) operation weights of either kind of cell (Eq. 1).

        With partial channels, the (edges,) shares of the edges too.
        """
        weights = [
            (self.relaxation.weights(logits.value, cell, training),)
            for cell, logits in enumerate(self._logits)
        ]
        for cell, logits in enumerate(self.edge_logits):
            weights[cell] += (edge_shares(logits.value, self.num_nodes),)
        return tuple(weights)

    @property
    def _logits(self) -> tuple[keras.Variable, keras.Variable]:
        return self.normal_logits, self.reduce_logits

    def architecture_penalty(self) -> tf.Tensor:
        """What is added to alpha's loss."""
        total = tf.zeros((), self.variable_dtype)
        for penalty in self.penalties:
            total += penalty([logits.value for logits in self._logits])
        return total

    def logits(self) -> np.ndarray:
        """(2, edges, 8): alpha of the normal and of the reduction cell."""
        return np.stack([logits.numpy() for logits in self._logits])

    def strengths(self) -> np.ndarray:
        """(2, edges, 8): what the operations are ranked by.

        With partial channels, times the share of their edge.
        """
        strengths = self.relaxation.strengths(self.logits())
        for cell, logits in enumerate(self.edge_logits):
            shares = edge_strengths(logits.numpy(), self.num_nodes)
            strengths[cell] *= shares[:, None]
        return strengths

    def genotype(self) -> Genotype:
        """The cells that alpha stands for now."""
        return self.derive(self.strengths())

    def derive(self, strengths: np.ndarray) -> Genotype:
        """The cells of (2, edges, 8) strengths."""
        normal, reduce = strengths
        if self.max_skip_connections is not None:
            normal = cap_skip_connections(
                normal,
                self.max_skip_connections,
                lambda capped: genotype_of_strengths(
                    capped, reduce, self.derivation
                ),
            )
        return genotype_of_strengths(normal, reduce, self.derivation)
