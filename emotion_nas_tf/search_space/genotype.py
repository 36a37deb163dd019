"""Genotypes: discrete cells derived from architecture weights.

    c_{k-2} (0) --sep_conv_3x3--> 2 --+
    c_{k-1} (1) --max_pool_3x3--> 2   |--> concatenated: c_k
                      ...         5 --+

A genotype names, for the normal and the reduction cell, two incoming edges for
each intermediate node, in node order. Pure Python: no TensorFlow.
"""

import dataclasses
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

SCHEMA_VERSION = 1

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


@dataclass(frozen=True)
class Genotype:
    """A pair of cells.

    Attributes:
      normal: (operation, source) pairs; pair 2i and 2i + 1 enter node i + 2.
      normal_concat: nodes whose concatenation is the cell's output.
      reduce: as `normal`, for the reduction cell.
      reduce_concat: as `normal_concat`.

    Raises:
      UsageError: on an unknown operation, an edge that does not come from an
        earlier node, or an output that is not an intermediate node.
    """

    normal: tuple[Edge, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Edge, ...]
    reduce_concat: tuple[int, ...]

    def __post_init__(self) -> None:
        for cell in ("normal", "reduce"):
            edges = _checked_edges(cell, getattr(self, cell))
            concat = _checked_concat(
                cell, getattr(self, f"{cell}_concat"), len(edges)
            )
            object.__setattr__(self, cell, edges)
            object.__setattr__(self, f"{cell}_concat", concat)

    @property
    def num_nodes(self) -> int:
        """Intermediate nodes of the normal cell."""
        return len(self.normal) // EDGES_PER_NODE

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
            edges = getattr(self, cell)
            for start in range(0, len(edges), EDGES_PER_NODE):
                terms = " + ".join(
                    f"{operation}({node_name(source)})"
                    for operation, source in edges[start : start + 2]
                )
                lines.append(
                    f"  {node_name(start // 2 + NUM_INPUTS)} = {terms}"
                )
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
    if version != SCHEMA_VERSION:
        raise UsageError(
            f"{path} has schema version {version!r}; this program reads "
            f"version {SCHEMA_VERSION}. Use the release that wrote it."
        )
    wanted = [field.name for field in dataclasses.fields(Genotype)]
    if any(name not in fields for name in wanted):
        raise UsageError(
            f"{path} is not a genotype: expected a JSON object with the keys "
            f"{', '.join(wanted)}."
        )
    try:
        return Genotype(**{name: fields[name] for name in wanted})
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def random_genotype(seed: int, num_nodes: int = 4) -> Genotype:
    """A cell drawn uniformly: the honest comparator of a search.

    Per node two different sources and, for each, one operation other than
    `none`.
    """
    generator = random.Random(seed)

    def cell() -> list[Edge]:
        edges = []
        for node in range(num_nodes):
            sources = generator.sample(range(NUM_INPUTS + node), EDGES_PER_NODE)
            edges += [
                (generator.choice(OPERATION_NAMES[1:]), source)
                for source in sorted(sources)
            ]
        return edges

    concat = tuple(range(NUM_INPUTS, NUM_INPUTS + num_nodes))
    return Genotype(cell(), concat, cell(), concat)


def derive_genotype(
    normal_logits: np.ndarray, reduce_logits: np.ndarray
) -> Genotype:
    """Discretises architecture weights as DARTS does.

    Args:
      normal_logits: (edges, 8) before the softmax; edges ordered by target
        node, then source.
      reduce_logits: the same for the reduction cell.

    Returns:
      Per node the two edges whose strongest operation other than `none` has
      the greatest probability (`none` takes part in the softmax), stronger
      first; ties go to the earlier edge and the earlier operation.
    """
    normal, num_nodes = _derive_cell(normal_logits)
    reduce, _ = _derive_cell(reduce_logits)
    concat = tuple(range(NUM_INPUTS, NUM_INPUTS + num_nodes))
    return Genotype(normal, concat, reduce, concat)


def _derive_cell(logits: np.ndarray) -> tuple[list[Edge], int]:
    logits = np.asarray(logits, np.float64)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities = powers / powers.sum(axis=-1, keepdims=True)
    edges: list[Edge] = []
    start, node = 0, 0
    while start < len(logits):
        sources = NUM_INPUTS + node
        # Column 0 is `none`, which never survives.
        rows = probabilities[start : start + sources, 1:]
        strongest = np.argsort(-rows.max(axis=1), kind="stable")
        edges += [
            (OPERATION_NAMES[1 + int(rows[source].argmax())], int(source))
            for source in strongest[:EDGES_PER_NODE]
        ]
        start += sources
        node += 1
    return edges, node


def _checked_edges(cell: str, edges: Sequence) -> tuple[Edge, ...]:
    if (
        not isinstance(edges, list | tuple)
        or not edges
        or len(edges) % EDGES_PER_NODE
    ):
        raise UsageError(
            f"Genotype.{cell} must list two edges for each node. "
            f"Received: {edges!r}"
        )
    checked = []
    for index, edge in enumerate(edges):
        node = NUM_INPUTS + index // EDGES_PER_NODE
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
        checked.append((operation, source))
    return tuple(checked)


def _checked_concat(cell: str, concat: Sequence, length: int) -> tuple:
    last = NUM_INPUTS + length // EDGES_PER_NODE - 1
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
