"""Edges of a discrete cell: their order, and what makes them valid.

Pure Python: no TensorFlow.
"""

from collections.abc import Sequence

from tfrecords_builder.errors import UsageError

# The eight of section 3.3 ("no connection" first), in the published order.
OPERATION_NAMES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NUM_INPUTS = 2
EDGES_PER_NODE = 2

Edge = tuple[str, int]


def num_edges(num_nodes: int = 4) -> int:
    """Edges of a search cell: 14 for the paper's four nodes."""
    return sum(NUM_INPUTS + node for node in range(num_nodes))


def split_by_node(
    edges: Sequence[Edge], all_edges: bool
) -> tuple[tuple[Edge, ...], ...]:
    """The edges that enter each node; the last may have too few.

    Args:
      edges: node by node.
      all_edges: one from every earlier node, otherwise two.
    """
    nodes: list[tuple[Edge, ...]] = []
    start = 0
    while start < len(edges):
        length = NUM_INPUTS + len(nodes) if all_edges else EDGES_PER_NODE
        nodes.append(tuple(edges[start : start + length]))
        start += length
    return tuple(nodes)


def checked_edges(
    cell: str, edges: Sequence, all_edges: bool
) -> tuple[Edge, ...]:
    """The edges of a cell, checked.

    Raises:
      UsageError: naming the cell and the edge that is wrong.
    """
    expected = (
        "one edge for each earlier node, node by node"
        if all_edges
        else "two edges for each node"
    )
    refusal = UsageError(
        f"Genotype.{cell} must list {expected}. Received: {edges!r}"
    )
    if not isinstance(edges, list | tuple) or not edges:
        raise refusal
    nodes = split_by_node(edges, all_edges)
    wanted = NUM_INPUTS + len(nodes) - 1 if all_edges else EDGES_PER_NODE
    if len(nodes[-1]) != wanted:
        raise refusal
    checked = []
    for node, entering in enumerate(nodes, NUM_INPUTS):
        for position, edge in enumerate(entering):
            checked.append(_checked_edge(cell, node, edge))
            if all_edges and checked[-1][1] != position:
                raise refusal
    return tuple(checked)


def checked_concat(cell: str, concat: Sequence, num_nodes: int) -> tuple:
    """The nodes that are a cell's output, checked.

    Raises:
      UsageError: when one is not an intermediate node.
    """
    last = NUM_INPUTS + num_nodes - 1
    if (
        not isinstance(concat, list | tuple)
        or not concat
        # Not the inputs: a reduction cell's are larger than its nodes.
        or any(type(n) is not int for n in concat)
        or not NUM_INPUTS <= min(concat) <= max(concat) <= last
    ):
        raise UsageError(
            f"Genotype.{cell}_concat must list nodes between {NUM_INPUTS} "
            f"and {last}. Received: {concat!r}"
        )
    return tuple(concat)


def _checked_edge(cell: str, node: int, edge: Sequence) -> Edge:
    if not isinstance(edge, list | tuple) or len(edge) != 2:
        raise UsageError(
            f"Genotype.{cell}: an edge is [operation, source]. "
            f"Received: {edge!r}"
        )
    operation, source = edge
    if operation not in OPERATION_NAMES:
        raise UsageError(
            f"Genotype.{cell}: unknown operation {operation!r}; known are "
            f"{', '.join(OPERATION_NAMES)}."
        )
    if type(source) is not int or not 0 <= source < node:
        raise UsageError(
            f"Genotype.{cell}: node {node} reads from node {source}; a "
            f"node may read only from earlier nodes (0 to {node - 1}). "
            f"Received: {(operation, source)!r}"
        )
    return operation, source
