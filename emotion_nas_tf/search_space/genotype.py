"""Genotypes: discrete cells derived from architecture weights.

    c_{k-2} (0) --sep_conv_3x3--> 2 --+
    c_{k-1} (1) --max_pool_3x3--> 2   |--> concatenated: c_k
                      ...         5 --+

A genotype names, for the normal and the reduction cell, two incoming edges for
each intermediate node, in node order; or an edge from every earlier node,
with `none` where there is no connection. Pure Python: no TensorFlow.
"""

import dataclasses
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.search_space.edges import (
    EDGES_PER_NODE,
    NUM_INPUTS,
    OPERATION_NAMES,
    Edge,
    checked_concat,
    checked_edges,
    split_by_node,
)
from emotion_nas_tf.search_space.strengths import softmax
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

# Version 1 knew two edges a node alone.
SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)


@dataclass(frozen=True)
class Genotype:
    """A pair of cells.

    Attributes:
      normal: (operation, source) pairs; pair 2i and 2i + 1 enter node i + 2.
        With `all_edges`, i + 2 pairs enter node i + 2, sources in order.
      normal_concat: nodes whose concatenation is the cell's output.
      reduce: as `normal`, for the reduction cell.
      reduce_concat: as `normal_concat`.
      all_edges: nodes read from all earlier ones instead of two.

    Raises:
      UsageError: on an unknown operation, an edge that does not come from an
        earlier node, or an output that is not an intermediate node.
    """

    normal: tuple[Edge, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Edge, ...]
    reduce_concat: tuple[int, ...]
    all_edges: bool = False

    def __post_init__(self) -> None:
        if type(self.all_edges) is not bool:
            raise UsageError(
                "Genotype.all_edges must be true or false. Received: "
                f"{self.all_edges!r}"
            )
        for cell in ("normal", "reduce"):
            edges = checked_edges(cell, getattr(self, cell), self.all_edges)
            object.__setattr__(self, cell, edges)
            concat = checked_concat(
                cell, getattr(self, f"{cell}_concat"), len(self.nodes(cell))
            )
            object.__setattr__(self, f"{cell}_concat", concat)

    @property
    def num_nodes(self) -> int:
        """Intermediate nodes of the normal cell."""
        return len(self.nodes("normal"))

    def nodes(self, cell: str) -> tuple[tuple[Edge, ...], ...]:
        """The edges that enter each intermediate node.

        Args:
          cell: `normal` or `reduce`.
        """
        return split_by_node(getattr(self, cell), self.all_edges)

    def to_json(self) -> str:
        """The text of a genotype file."""
        fields = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        # One edge a line: a found cell should be readable in its file.
        lines = []
        for name, value in fields.items():
            if name in ("normal", "reduce"):
                edges = ",\n".join(f"    {json.dumps(e)}" for e in value)
                lines.append(f'  "{name}": [\n{edges}\n  ]')
            else:
                lines.append(f'  "{name}": {json.dumps(value)}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def save(self, path: Path) -> None:
        """Writes a genotype file, whole or not at all."""
        with replacing(path) as temporary:
            temporary.write_text(self.to_json(), encoding="utf-8")

    def to_text(self) -> str:
        """The cells as indented text, a line a node, for people."""
        lines = []
        for cell, title in (("normal", "normal"), ("reduce", "reduction")):
            lines.append(f"{title} cell")
            for node, edges in enumerate(self.nodes(cell), NUM_INPUTS):
                terms = " + ".join(
                    f"{operation}({node_name(source)})"
                    for operation, source in edges
                    if not (self.all_edges and operation == "none")
                )
                lines.append(f"  {node_name(node)} = {terms or 'nothing'}")
            concat = ", ".join(
                node_name(n) for n in getattr(self, f"{cell}_concat")
            )
            lines.append(f"  c_k = concatenate({concat})")
        return "\n".join(lines)


def node_name(node: int) -> str:
    """`c_{k-2}`, `c_{k-1}` for the inputs, `node 0` ... for the others."""
    names = ("c_{k-2}", "c_{k-1}")
    return names[node] if node < NUM_INPUTS else f"node {node - NUM_INPUTS}"


def load_genotype(path: str | Path) -> Genotype:
    """Reads a genotype file (JSON; never evaluated as code).

    Raises:
      UsageError: no such file, not JSON, a key missing, a newer schema, or
        cells that `Genotype` refuses.
    """
    path = Path(path)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"There is no genotype file {path}. `python -m "
            "emotion_nas_tf.search` writes one."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not a genotype: it is not JSON ({error})."
        ) from None
    if not isinstance(fields, dict):
        fields = {}
    # The version first: a newer schema may have other keys.
    version = fields.get("schema_version", SCHEMA_VERSION)
    if version not in READABLE_VERSIONS:
        raise UsageError(
            f"{path} has schema version {version!r}; this program reads "
            f"versions up to {SCHEMA_VERSION}. Use the release that wrote it."
        )
    names = [field.name for field in dataclasses.fields(Genotype)]
    wanted = [name for name in names if name != "all_edges"]
    if any(name not in fields for name in wanted):
        raise UsageError(
            f"{path} is not a genotype: expected a JSON object with the keys "
            f"{', '.join(wanted)}."
        )
    try:
        return Genotype(**{n: fields[n] for n in names if n in fields})
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def random_genotype(
    seed: int, num_nodes: int = 4, all_edges: bool = False
) -> Genotype:
    """A cell drawn uniformly: the honest comparator of a search.

    Per node two different sources and, for each, one operation other than
    `none`; with `all_edges`, every source and any of the eight operations.
    """
    generator = random.Random(seed)

    def cell() -> list[Edge]:
        edges = []
        for node in range(num_nodes):
            earlier = range(NUM_INPUTS + node)
            if all_edges:
                sources, choices = earlier, OPERATION_NAMES
            else:
                sources = sorted(generator.sample(earlier, EDGES_PER_NODE))
                choices = OPERATION_NAMES[1:]
            edges += [(generator.choice(choices), source) for source in sources]
        return edges

    concat = tuple(range(NUM_INPUTS, NUM_INPUTS + num_nodes))
    return Genotype(cell(), concat, cell(), concat, all_edges)


def derive_genotype(
    normal_logits: np.ndarray,
    reduce_logits: np.ndarray,
    derivation: str = "two_edges",
) -> Genotype:
    """Discretises architecture weights.

    `two_edges` is the published DARTS' rule: per node the two edges whose
    strongest operation other than `none` has the greatest probability (`none`
    takes part in the softmax), stronger first; ties go to the earlier edge and
    the earlier operation.

    `all_edges` is Figure 2 (c) of the paper to the letter: every edge keeps
    "only the operations with the highest weight". "No connection" is one of
    the paper's eight operations (section 3.3), so where `none` is the
    strongest, that edge is gone; a node may lose all of its edges.

    Args:
      normal_logits: (edges, 8) before the softmax; edges ordered by target
        node, then source.
      reduce_logits: the same for the reduction cell.
      derivation: `two_edges` or `all_edges`.
    """
    return genotype_of_strengths(
        softmax(normal_logits), softmax(reduce_logits), derivation
    )


def genotype_of_strengths(
    normal: np.ndarray, reduce: np.ndarray, derivation: str = "two_edges"
) -> Genotype:
    """The same from what the operations are ranked by, e.g. probabilities.

    Args:
      normal: (edges, 8); edges ordered by target node, then source.
      reduce: the same for the reduction cell.
      derivation: `two_edges` or `all_edges`.
    """
    all_edges = derivation == "all_edges"
    rule = _every_edge if all_edges else _strongest_edges
    normal, reduce = (
        _derive_cell(np.asarray(strengths), rule)
        for strengths in (normal, reduce)
    )
    num_nodes = len(split_by_node(normal, all_edges))
    concat = tuple(range(NUM_INPUTS, NUM_INPUTS + num_nodes))
    return Genotype(normal, concat, reduce, concat, all_edges)


def _derive_cell(
    strengths: np.ndarray, rule: Callable[[np.ndarray], list[Edge]]
) -> list[Edge]:
    edges: list[Edge] = []
    start, sources = 0, NUM_INPUTS
    while start < len(strengths):
        edges += rule(strengths[start : start + sources])
        start, sources = start + sources, sources + 1
    return edges


def _strongest_edges(probabilities: np.ndarray) -> list[Edge]:
    """The two edges that a node keeps, from all that could enter it."""
    # Column 0 is `none`, which never survives.
    rows = probabilities[:, 1:]
    strongest = np.argsort(-rows.max(axis=1), kind="stable")
    return [
        (OPERATION_NAMES[1 + int(rows[source].argmax())], int(source))
        for source in strongest[:EDGES_PER_NODE]
    ]


def _every_edge(probabilities: np.ndarray) -> list[Edge]:
    return [
        (OPERATION_NAMES[int(row.argmax())], source)
        for source, row in enumerate(probabilities)
    ]
