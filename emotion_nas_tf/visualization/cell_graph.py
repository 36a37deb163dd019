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

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from emotion_nas_tf.search_space.genotype import (
    EDGES_PER_NODE,
    NUM_INPUTS,
    Edge,
    Genotype,
)
from emotion_nas_tf.visualization.operation_style import (
    operation_colour,
    operation_family,
    operation_label,
    text_colour,
)

_INK = "#222222"
_WIRE = "#555555"
_ARROW_STYLE = {
    "arrowstyle": "-|>,head_width=0.3,head_length=0.5",
    "color": _WIRE,
    "lw": 2.2,
    "shrinkA": 0,
    "shrinkB": 0,
}

# Units of the drawing: rows are 1 apart; the columns are as far apart as a
# label, its arrow and the line that leaves the node before need.
_LABEL_WIDTH, _LABEL_HEIGHT = 1.75, 0.38
_ARROW = 0.34
_COLUMN = _LABEL_WIDTH + _ARROW + 0.55
_NODE_WIDTH, _NODE_HEIGHT = 1.15, 0.82
_INPUT_WIDTH, _INPUT_HEIGHT = 3.3, 0.55
_OUTPUT_WIDTH, _OUTPUT_MIDDLE = 3.3, 0.4
_INCHES_PER_COLUMN_UNIT, _INCHES_PER_ROW_UNIT = 0.62, 0.8


def draw_genotype(genotype: Genotype, title: str = "") -> Figure:
    """Draws both cells side by side.

    Args:
      genotype: what to draw.
      title: a line above the drawing, e.g. `epoch 12`.

    Returns:
      A figure of its own; pyplot's global state is not touched.
    """
    layouts = [
        _Layout(len(cell) // EDGES_PER_NODE)
        for cell in (genotype.normal, genotype.reduce)
    ]
    width = sum(layout.width for layout in layouts)
    above, below = (1.3 if title else 0.9), 0.55
    height = max(layout.height for layout in layouts) + above + below
    figure = Figure(
        figsize=(
            width * _INCHES_PER_COLUMN_UNIT,
            height * _INCHES_PER_ROW_UNIT,
        ),
        dpi=100,
    )
    FigureCanvasAgg(figure)
    figure.set_facecolor("white")
    left = 0.0
    for layout, (name, note, edges, concat) in zip(
        layouts,
        (
            (
                "Normal cell",
                "keeps frequency and time as they are",
                genotype.normal,
                genotype.normal_concat,
            ),
            (
                "Reduction cell",
                "halves frequency and time: operations on the two inputs "
                "have stride 2",
                genotype.reduce,
                genotype.reduce_concat,
            ),
        ),
        strict=True,
    ):
        share = layout.width / width
        axes = figure.add_axes(
            (left, below / height, share, 1 - (above + below) / height)
        )
        left += share
        _draw_cell(axes, layout, edges, concat)
        axes.set_title(name, fontsize=17, fontweight="bold", color=_INK, pad=30)
        axes.text(
            0.5,
            1.012,
            note,
            transform=axes.transAxes,
            ha="center",
            va="bottom",
            fontsize=13,
            color=_WIRE,
        )
    if title:
        figure.suptitle(title, fontsize=16, color=_INK, y=0.99)
    _draw_legend(figure, (*genotype.normal, *genotype.reduce))
    return figure


@dataclass(frozen=True)
class _Layout:
    """Where the boxes of a cell of `num_nodes` nodes are; y grows upward."""

    num_nodes: int

    @property
    def width(self) -> float:
        return self.bus + 0.35

    @property
    def height(self) -> float:
        return self.middle(0) + 0.4

    @property
    def bus(self) -> float:
        """x of the line that gathers the concatenated nodes."""
        last = NUM_INPUTS + self.num_nodes - 1
        return self.left(last) + self.size(last)[0] + 0.5

    def size(self, node: int) -> tuple[float, float]:
        if node < NUM_INPUTS:
            return _INPUT_WIDTH, _INPUT_HEIGHT
        return _NODE_WIDTH, _NODE_HEIGHT

    def left(self, node: int) -> float:
        if node < NUM_INPUTS:
            return 0.2 + 0.55 * node
        first = self.trunk(NUM_INPUTS - 1) + _COLUMN - 0.25
        return first + _COLUMN * (node - NUM_INPUTS)

    def middle(self, node: int) -> float:
        if node < NUM_INPUTS:
            below = self.middle(NUM_INPUTS) + 0.95
            return below + 0.75 * (NUM_INPUTS - 1 - node)
        last = NUM_INPUTS + self.num_nodes - 1
        return _OUTPUT_MIDDLE + 0.85 + last - node

    def trunk(self, node: int) -> float:
        """x of the line that leaves a node downward."""
        return self.left(node) + 0.25


def _draw_cell(
    axes: Axes, layout: _Layout, edges: tuple[Edge, ...], concat: tuple
) -> None:
    axes.set_xlim(0, layout.width)
    axes.set_ylim(0, layout.height)
    axes.set_axis_off()
    reach: dict[int, float] = {}
    for index, (operation, source) in enumerate(edges):
        node = NUM_INPUTS + index // EDGES_PER_NODE
        y = layout.middle(node) + (0.21, -0.21)[index % EDGES_PER_NODE]
        _draw_edge(axes, layout, operation, source, node, y)
        reach[source] = min(y, reach.get(source, y))
    for source, y in reach.items():
        x = layout.trunk(source)
        _wire(axes, (x, x), (layout.middle(source), y))
    _draw_output(axes, layout, concat)
    inputs = ("cell before it  $c_{k-2}$", "previous cell  $c_{k-1}$")
    for node in range(NUM_INPUTS + layout.num_nodes):
        is_input = node < NUM_INPUTS
        _box(
            axes,
            layout.left(node),
            layout.middle(node),
            layout.size(node),
            inputs[node] if is_input else f"node {node - NUM_INPUTS}\nsum",
            "#FFF3C4" if is_input else "white",
        )


def _draw_edge(
    axes: Axes,
    layout: _Layout,
    operation: str,
    source: int,
    node: int,
    y: float,
) -> None:
    right = layout.left(node) - _ARROW
    left = right - _LABEL_WIDTH
    start = layout.trunk(source)
    _wire(axes, (start, left + 0.1), (y, y))
    axes.plot(start, y, marker="o", ms=6, color=_WIRE, zorder=3)
    _arrow(axes, (right, y), (layout.left(node), y))
    colour = operation_colour(operation)
    _box(
        axes,
        left + 0.06,
        y,
        (_LABEL_WIDTH - 0.12, _LABEL_HEIGHT),
        operation_label(operation),
        colour,
        text_colour(colour),
        rounding=0.18,
        frame="none",
    )


def _draw_output(axes: Axes, layout: _Layout, concat: tuple) -> None:
    for node in concat:
        y = layout.middle(node)
        _wire(axes, (layout.left(node) + 0.3, layout.bus), (y, y))
    top = max(layout.middle(node) for node in concat)
    _arrow(
        axes,
        (layout.bus, top),
        (layout.bus, _OUTPUT_MIDDLE + _INPUT_HEIGHT / 2),
    )
    _box(
        axes,
        layout.bus + 0.25 - _OUTPUT_WIDTH,
        _OUTPUT_MIDDLE,
        (_OUTPUT_WIDTH, _INPUT_HEIGHT),
        "output  $c_k$  (joined)",
        "#DCEBD5",
    )


def _wire(axes: Axes, x: tuple, y: tuple) -> None:
    axes.plot(x, y, color=_WIRE, lw=2.2, zorder=1, solid_capstyle="round")


def _arrow(axes: Axes, start: tuple, end: tuple) -> None:
    axes.annotate("", end, start, zorder=1, arrowprops=_ARROW_STYLE)


def _box(
    axes: Axes,
    left: float,
    middle: float,
    size: tuple[float, float],
    text: str,
    fill: str,
    ink: str = _INK,
    rounding: float = 0.08,
    frame: str = _INK,
) -> None:
    width, height = size
    axes.add_patch(
        FancyBboxPatch(
            (left, middle - height / 2),
            width,
            height,
            boxstyle=f"round,pad=0,rounding_size={rounding}",
            facecolor=fill,
            edgecolor=frame,
            linewidth=1.6,
            zorder=4,
        )
    )
    axes.text(
        left + width / 2,
        middle - 0.01,
        text,
        ha="center",
        va="center",
        fontsize=14,
        linespacing=1.1,
        color=ink,
        zorder=5,
    )


def _draw_legend(figure: Figure, edges: tuple[Edge, ...]) -> None:
    used = {operation_family(operation) for operation, _ in edges}
    handles = [
        Patch(facecolor=shades[-1], label=f"{label}: {name}")
        for label, name, shades in sorted(used, key=lambda f: f[1])
    ]
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=13,
        handlelength=1.2,
        columnspacing=1.6,
    )
