"""Trainable weights of a network, counted from its structure.

Pure Python: no TensorFlow, so that the largest network is counted at once.
Alphas are not weights of the network; running statistics are not trained.
"""

from dataclasses import dataclass

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.search_space.edges import (
    NUM_INPUTS,
    OPERATION_NAMES,
    num_edges,
)
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.plan import (
    STEM_MULTIPLIER,
    CellPlan,
    plan_cells,
)


@dataclass(frozen=True)
class CellParameters:
    """Of a cell: its two inputs' layers, and every edge in its order."""

    preprocess0: int
    preprocess1: int
    edges: tuple[int, ...]

    @property
    def total(self) -> int:
        """Of the whole cell."""
        return self.preprocess0 + self.preprocess1 + sum(self.edges)


@dataclass(frozen=True)
class Parameters:
    """Of a network, part by part."""

    stem: int
    cells: tuple[CellParameters, ...]
    classifier: int

    @property
    def total(self) -> int:
        """Of the whole network."""
        return (
            self.stem + sum(cell.total for cell in self.cells) + self.classifier
        )


def parameters(
    network: NetworkConfig,
    num_classes: int,
    genotype: Genotype | None = None,
    input_channels: int = 1,
) -> Parameters:
    """Counts the weights of a search network, or of a genotype's network.

    Args:
      network: its size.
      num_classes: logits.
      genotype: cells; None for the search network.
      input_channels: of the features.
    """
    stem = STEM_MULTIPLIER * network.num_channels
    plans = plan_cells(network.num_cells, network.num_channels)
    # Channels of the last two outputs.
    inputs = (stem, stem)
    cells = []
    for plan in plans:
        cells.append(_cell(plan, inputs, network, genotype))
        nodes = _output_nodes(plan, network.num_nodes, genotype)
        inputs = (inputs[1], nodes * plan.channels)
    return Parameters(
        # Its batch normalisation learns scale and offset in both networks.
        stem=9 * input_channels * stem + 2 * stem,
        cells=tuple(cells),
        classifier=inputs[1] * num_classes + num_classes,
    )


def architecture_parameters(network: NetworkConfig) -> int:
    """Alphas of a search network: two matrices; with partial channels, beta."""
    an_edge = len(OPERATION_NAMES) + (network.partial_channels > 1)
    return 2 * num_edges(network.num_nodes) * an_edge


def _output_nodes(
    plan: CellPlan, num_nodes: int, genotype: Genotype | None
) -> int:
    if genotype is None:
        return num_nodes
    concat = (
        genotype.reduce_concat if plan.reduction else genotype.normal_concat
    )
    return len(concat)


def _cell(
    plan: CellPlan,
    inputs: tuple[int, int],
    network: NetworkConfig,
    genotype: Genotype | None,
) -> CellParameters:
    # Scale and offset, in derived networks alone.
    affine = 0 if genotype is None else 2 * plan.channels
    mixed = plan.channels
    if genotype is None:
        mixed //= network.partial_channels
        nodes = range(network.num_nodes)
        sources = [s for n in nodes for s in range(NUM_INPUTS + n)]
        edges = [(OPERATION_NAMES, source) for source in sources]
    else:
        cell = genotype.reduce if plan.reduction else genotype.normal
        edges = [((operation,), source) for operation, source in cell]
    return CellParameters(
        # Both kinds of it: 1x1 convolutions to C channels in all.
        *(size * plan.channels + affine for size in inputs),
        edges=tuple(
            sum(
                _operation(
                    name,
                    mixed,
                    plan.reduction and source < NUM_INPUTS,
                    affine,
                )
                for name in operations
            )
            for operations, source in edges
        ),
    )


def _operation(name: str, channels: int, strided: bool, affine: int) -> int:
    kind, _, size = name.rpartition("_")
    if kind in ("sep_conv", "dil_conv"):
        taps = int(size[0]) ** 2
        once = taps * channels + channels**2 + affine
        return 2 * once if kind == "sep_conv" else once
    if name == "skip_connect" and strided:
        return channels**2 + affine
    return 0
