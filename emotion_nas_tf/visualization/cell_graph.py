"""Draws the two cells of a genotype, with Matplotlib alone.

Nodes descend a staircase, each on its own row and in its own column:

    c_{k-2} ------------------------------.
     |   c_{k-1} -------------------------|
     |    |--[sep 3x3]--> node 0 ---------|
     |-------[max 3x3]-->  |              |
     |    |                |              |
     |------------[skip]--------> node 1 -|
    ...                                  c_k

An edge leaves its source downward and enters its target's row from the left,
where the staircase leaves the place free: no line ever runs through a box, no
label can meet another, whatever the genotype.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from emotion_nas_tf.search_space.edges import EDGES_PER_NODE, NUM_INPUTS, Edge
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.visualization.operation_style import (
    CARD_PIXELS,
    CELLS,
    operation_colour,
    operation_family,
    operation_label,
    text_colour,
)
from emotion_nas_tf.visualization.pen import INK, WIRE, Pen
from emotion_nas_tf.visualization.sheet import Sheet

_NOTES = {
    "normal": "keeps frequency and time as they are",
    "reduction": "halves frequency and time",
}

# Units of the drawing. Columns are as far apart as a label, its arrow and the
# line that leaves the node before need.
_LABEL_WIDTH, _LABEL_HEIGHT = 1.02, 0.72
_LABEL_SHIFT = 0.39
_ARROW = 0.32
_COLUMN, _ROW = _LABEL_WIDTH + _ARROW + 0.48, 1.64
_NODE_WIDTH, _GAP = 0.95, 0.14
_INPUT_WIDTH, _INPUT_HEIGHT = 3.9, 0.56
_OUTPUT_WIDTH, _OUTPUT_MIDDLE = 3.7, 0.38
_TRUNK = 0.24
_ABOVE, _BELOW, _TITLE = 1.25, 1.3, 0.7
_PIXELS_PER_UNIT = 78


def draw_genotype(
    genotype: Genotype, title: str = "", cell: str | None = None
) -> Figure:
    """Draws both cells side by side, or one alone and small.

    Args:
      genotype: what to draw.
      title: a line above the drawing, e.g. `epoch 12`.
      cell: `normal` or `reduction` for one cell in the size of a TensorBoard
        card, which would otherwise drop pixels; None for both.

    Returns:
      A figure of its own; pyplot's global state is not touched.
    """
    names = CELLS if cell is None else (cell,)
    cells = {
        "normal": (_drawn(genotype, "normal"), genotype.normal_concat),
        "reduction": (_drawn(genotype, "reduce"), genotype.reduce_concat),
    }
    layouts = {name: _Layout(tuple(map(len, cells[name][0]))) for name in names}
    width = sum(layout.width for layout in layouts.values())
    above = _ABOVE + (_TITLE if title else 0)
    tallest = max(map(_height, layouts.values()))
    height = tallest + above + _BELOW
    pixels = _PIXELS_PER_UNIT if cell is None else CARD_PIXELS / width
    sheet = Sheet.blank(width, height, pixels)
    left = 0.0
    for name, layout in layouts.items():
        share = layout.width / width
        axes = sheet.figure.add_axes(
            (left, _BELOW / height, share, 1 - (above + _BELOW) / height)
        )
        left += share
        axes.set_xlim(0, layout.width)
        axes.set_ylim(_height(layout) - tallest, _height(layout))
        axes.set_axis_off()
        _draw_cell(Pen(axes, pixels), layout, name, *cells[name])
    sheet.title(title)
    drawn = [e for n in names for entering in cells[n][0] for e in entering]
    _draw_legend(sheet, drawn, cell)
    return sheet.figure


def _drawn(genotype: Genotype, cell: str) -> list[list[Edge]]:
    """The edges that enter each node; `none` is drawn if it was chosen."""
    return [
        [e for e in edges if not (genotype.all_edges and e[0] == "none")]
        for edges in genotype.nodes(cell)
    ]


@dataclass(frozen=True)
class _Layout:
    """Where the boxes of a cell are; y grows upward.

    Attributes:
      entering: edges that enter each node; two fill a row.
    """

    entering: tuple[int, ...]

    @property
    def num_nodes(self) -> int:
        return len(self.entering)

    @property
    def width(self) -> float:
        return self.bus + 0.4

    @property
    def bus(self) -> float:
        """x of the line that gathers the concatenated nodes."""
        last = NUM_INPUTS + self.num_nodes - 1
        return max(self.left(last) + _NODE_WIDTH + 0.35, 5.6)

    def left(self, node: int) -> float:
        if node < NUM_INPUTS:
            return 0.15 + 0.5 * node
        first = self.trunk(NUM_INPUTS - 1) + _COLUMN - _TRUNK
        return first + _COLUMN * (node - NUM_INPUTS)

    def middle(self, node: int) -> float:
        if node < NUM_INPUTS:
            below = self.middle(NUM_INPUTS) + self.row(NUM_INPUTS) / 2 + 0.38
            return below + 0.76 * (NUM_INPUTS - 1 - node)
        below = range(node + 1, NUM_INPUTS + self.num_nodes)
        rows = self.row(node) / 2 + sum(map(self.row, below))
        return _OUTPUT_MIDDLE + 0.38 + rows

    def row(self, node: int) -> float:
        """Height of a node's row."""
        edges = self.entering[node - NUM_INPUTS]
        return _ROW * max(edges, EDGES_PER_NODE) / EDGES_PER_NODE

    def trunk(self, node: int) -> float:
        """x of the line that leaves a node downward."""
        return self.left(node) + _TRUNK


def _height(layout: _Layout) -> float:
    return layout.middle(0) + _INPUT_HEIGHT / 2 + 0.05


def _draw_cell(
    pen: Pen,
    layout: _Layout,
    name: str,
    nodes: list[list[Edge]],
    concat: tuple[int, ...],
) -> None:
    top, centre = _height(layout), layout.width / 2
    pen.text(centre, top + 0.85, f"{name} cell", size=1.25, fontweight="bold")
    pen.text(centre, top + 0.35, _NOTES[name], size=0.95, color=WIRE)
    reach: dict[int, float] = {}
    for node, edges in enumerate(nodes, NUM_INPUTS):
        for index, (operation, source) in enumerate(edges):
            shift = _LABEL_SHIFT * (len(edges) - 1 - 2 * index)
            y = layout.middle(node) + shift
            _draw_edge(pen, layout, operation, source, node, y)
            reach[source] = min(y, reach.get(source, y))
    for source, y in reach.items():
        x = layout.trunk(source)
        pen.wire((x, x), (layout.middle(source), y))
    _draw_output(pen, layout, concat)
    for node in range(NUM_INPUTS + layout.num_nodes):
        _draw_node(pen, layout, node)


def _draw_edge(
    pen: Pen,
    layout: _Layout,
    operation: str,
    source: int,
    node: int,
    y: float,
) -> None:
    right = layout.left(node) - _ARROW
    left = right - _LABEL_WIDTH
    pen.wire((layout.trunk(source), left), (y, y))
    pen.dot(layout.trunk(source), y)
    pen.arrow((right, y), (layout.left(node), y))
    colour = operation_colour(operation)
    pen.box(left, y, (_LABEL_WIDTH, _LABEL_HEIGHT), colour, "none")
    pen.text(
        (left + right) / 2,
        y - 0.01,
        operation_label(operation).replace(" ", "\n"),
        color=text_colour(colour),
    )


def _draw_node(pen: Pen, layout: _Layout, node: int) -> None:
    left, middle = layout.left(node), layout.middle(node)
    if node < NUM_INPUTS:
        text = ("cell before it  $c_{k-2}$", "previous cell  $c_{k-1}$")[node]
        size, fill = (_INPUT_WIDTH, _INPUT_HEIGHT), "#FFF3C4"
    else:
        text = f"node\n{node - NUM_INPUTS}"
        size = (_NODE_WIDTH, layout.row(node) - _GAP)
        fill = "white"
    pen.box(left, middle, size, fill, INK)
    pen.text(left + size[0] / 2, middle, text)


def _draw_output(pen: Pen, layout: _Layout, concat: tuple[int, ...]) -> None:
    for node in concat:
        y = layout.middle(node)
        pen.wire((layout.left(node) + 0.3, layout.bus), (y, y))
    top = max(layout.middle(node) for node in concat)
    end = _OUTPUT_MIDDLE + _INPUT_HEIGHT / 2
    pen.arrow((layout.bus, top), (layout.bus, end))
    left = layout.bus + 0.25 - _OUTPUT_WIDTH
    size = (_OUTPUT_WIDTH, _INPUT_HEIGHT)
    pen.box(left, _OUTPUT_MIDDLE, size, "#DCEBD5", INK)
    middle = left + _OUTPUT_WIDTH / 2
    pen.text(middle, _OUTPUT_MIDDLE, "joined: output  $c_k$")


def _draw_legend(sheet: Sheet, edges: list[Edge], cell: str | None) -> None:
    used = sorted({operation_family(operation) for operation, _ in edges})
    handles = [
        Patch(facecolor=shades[-1], label=f"{label}: {name}")
        for label, name, shades in used
    ]
    handles.append(Patch(facecolor="white", edgecolor=INK, label="node: sum"))
    sheet.legend(handles, 2 if cell else 3, size=0.9 if cell else 1.0)
