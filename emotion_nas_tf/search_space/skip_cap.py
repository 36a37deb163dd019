"""At most so many skip connections in the normal cell. NumPy only."""

from collections.abc import Callable

import numpy as np

from emotion_nas_tf.search_space.edges import (
    NUM_INPUTS,
    OPERATION_NAMES,
    num_edges,
)
from emotion_nas_tf.search_space.genotype import Genotype

_SKIP = OPERATION_NAMES.index("skip_connect")


def cap_skip_connections(
    normal: np.ndarray,
    limit: int,
    derive: Callable[[np.ndarray], Genotype],
) -> np.ndarray:
    """Strengths of which a normal cell with few skip connections is derived.

    As in P-DARTS (Chen et al. 2019, section 3.3), the weakest skip connection
    too many is struck out and the cell derived again, until it holds few
    enough. An edge that lost its own goes on with the next best operation, and
    may lose its place to another edge.

    Args:
      normal: (edges, 8) strengths of the normal cell, not negative.
      limit: greatest number of skip connections.
      derive: strengths of a normal cell to a genotype.

    Returns:
      The strengths; those struck out are -1.
    """
    normal = np.array(normal, np.float64)
    while True:
        rows = _skip_rows(derive(normal))
        if len(rows) <= limit:
            return normal
        weakest = min(rows, key=lambda row: normal[row, _SKIP])
        normal[weakest, _SKIP] = -1.0


def _skip_rows(genotype: Genotype) -> list[int]:
    """The rows of alpha on which the normal cell holds a skip connection."""
    return [
        num_edges(node - NUM_INPUTS) + source
        for node, edges in enumerate(genotype.nodes("normal"), NUM_INPUTS)
        for operation, source in edges
        if operation == "skip_connect"
    ]
