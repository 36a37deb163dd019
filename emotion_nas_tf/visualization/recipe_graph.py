r"""Draws a recurrent cell from its recipe, with Matplotlib alone.

     x_t     h_{t-1}^1   h_{t-1}^2       what a step reads
       \      /   |          |
     [linear ]    |          |
     [sigmoid]    |          |
          \_____[ a  b ]_____|
                  ...
     h_t^1       h_t^2                   what it hands on

The paper's Figure 4. What is read is above what reads it; a linear map and the
activation that alone reads it share a box.
"""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Curve

from emotion_nas_tf.recurrent.names import INPUT, previous_state
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.visualization.layered_layout import Layout, Place, lay_out
from emotion_nas_tf.visualization.operation_style import (
    CARD_PIXELS,
    text_colour,
)
from emotion_nas_tf.visualization.pen import INK, WIRE, Pen
from emotion_nas_tf.visualization.recipe_boxes import (
    OPERATION_HEIGHT,
    OPERATION_STYLES,
    PORTS_HEIGHT,
    Box,
    end_name,
    end_text,
    operation_style,
    recipe_boxes,
)
from emotion_nas_tf.visualization.sheet import Sheet

# Units of the drawing.
_LINE, _GAP = 0.30, 0.30
_BETWEEN = 0.62
_LEAST_WIDTH = 6.0
_MARGIN, _TITLE, _LEGEND_ROW = 0.35, 0.8, 0.5
_PIXELS_PER_UNIT = 62


def draw_recipe(recipe: Recipe, title: str = "", card: bool = False) -> Figure:
    """Draws a recipe.

    Args:
      recipe: what to draw.
      title: a line above.
      card: in the size of a TensorBoard card, which would otherwise drop
        pixels.

    Returns:
      A figure of its own; pyplot's global state is not touched. In its SVG
      every box has its node's name as its element's.
    """
    boxes = recipe_boxes(recipe)
    layout = _layout(boxes, recipe)
    rows = _Rows(boxes, layout)
    explained = [
        op
        for op in OPERATION_STYLES
        if operation_style(op)[1]
        and any(node.op == op for node in recipe.nodes)
    ]
    width = max(layout.width, _LEAST_WIDTH) + 2 * _MARGIN
    columns = 1 if width < 7 else 2 if width < 11 else 4
    legend = _LEGEND_ROW * -(-len(explained) // columns) + 0.2
    above = _TITLE if title else 0.1
    height = rows.height + legend + above
    pixels = CARD_PIXELS / width if card else _PIXELS_PER_UNIT
    sheet = Sheet.blank(width, height, pixels)
    axes = sheet.figure.add_axes((0, legend / height, 1, rows.height / height))
    left = (width - layout.width) / 2
    axes.set_xlim(-left, width - left)
    axes.set_ylim(-rows.height, 0)
    axes.set_axis_off()
    pen = Pen(axes, pixels)
    _draw_lines(pen, layout, rows, boxes)
    for box in boxes.values():
        _draw_box(pen, box, layout, rows)
    sheet.title(title)
    sheet.legend(
        [
            Patch(facecolor=colour, label=f"{label}: {meaning}")
            for label, meaning, colour in map(operation_style, explained)
        ],
        columns,
        size=0.85,
    )
    return sheet.figure


def _layout(boxes: Mapping[str, Box], recipe: Recipe) -> Layout:
    edges = [(name, box.name) for box in boxes.values() for name in box.inputs]
    states = range(recipe.num_states)
    return lay_out(
        edges,
        {name: box.size[0] for name, box in boxes.items()},
        first=[INPUT, *(f"h_prev_{k}" for k in states)],
        last=[end_name(f"h_new_{k}") for k in states],
        line_width=_LINE,
        gap=_GAP,
    )


class _Rows:
    """Where layers begin and end; y grows upward from minus the height."""

    def __init__(self, boxes: Mapping[str, Box], layout: Layout):
        tallest = [0.0] * layout.num_layers
        for name, layer in layout.layers.items():
            tallest[layer] = max(tallest[layer], boxes[name].size[1])
        self.middle, self.half = [], [height / 2 for height in tallest]
        y = -_MARGIN
        for layer, height in enumerate(tallest):
            if layer:
                y -= self._gap(layout, layer)
            self.middle.append(y - height / 2)
            y -= height
        self.height = _MARGIN - y

    @staticmethod
    def _gap(layout: Layout, layer: int) -> float:
        """The farther lines go sideways, the more room they need."""
        far = max(
            abs(layout.x[upper] - layout.x[lower])
            for upper, lower in layout.segments
            if lower[1] == layer
        )
        return _BETWEEN + 0.1 * far


def _draw_lines(
    pen: Pen, layout: Layout, rows: _Rows, boxes: Mapping[str, Box]
) -> None:
    for upper, lower in layout.segments:
        colour = _line_colour(upper[0])
        start = layout.x[upper], _edge(rows, boxes, layout, upper, -1)
        is_end = layout.layers[lower[0]] == lower[1]
        port = _port(layout, boxes, upper, lower) if is_end else 0.0
        x = layout.x[lower] + port
        end = x, _edge(rows, boxes, layout, lower, 1)
        # From layer to layer the curve leaves and arrives straight down.
        bottom = rows.middle[upper[1]] - rows.half[upper[1]]
        top = rows.middle[lower[1]] + rows.half[lower[1]] + 0.12
        turn = (bottom + top) / 2
        line = [
            start,
            (start[0], bottom),
            (start[0], turn),
            (x, turn),
            (x, top),
            end,
        ]
        codes = [Curve.MOVETO, Curve.LINETO, *[Curve.CURVE4] * 3, Curve.LINETO]
        if not is_end:
            # Through the layer below as well.
            line.append((x, rows.middle[lower[1]] - rows.half[lower[1]]))
            codes.append(Curve.LINETO)
        pen.axes.add_patch(
            PathPatch(
                Curve(line, codes),
                fill=False,
                edgecolor=colour,
                lw=pen.line_width,
                capstyle="round",
                zorder=1,
            )
        )
        if is_end:
            _draw_head(pen, end, colour)


def _draw_head(pen: Pen, tip: tuple[float, float], colour: str) -> None:
    x, y = tip
    head = [(x, y), (x - 0.085, y + 0.2), (x + 0.085, y + 0.2), (x, y)]
    pen.axes.add_patch(PathPatch(Curve(head), fc=colour, ec="none", zorder=3))


def _edge(
    rows: _Rows,
    boxes: Mapping[str, Box],
    layout: Layout,
    place: Place,
    side: int,
) -> float:
    """y where lines leave (-1) or reach (1) a place."""
    name, layer = place
    is_box = layout.layers[name] == layer
    half = boxes[name].size[1] / 2 if is_box else rows.half[layer]
    return rows.middle[layer] + side * half


def _port(
    layout: Layout, boxes: Mapping[str, Box], upper: Place, lower: Place
) -> float:
    """Where on its top a box reads this line, from its middle."""
    arriving = sorted(
        {a for a, b in layout.segments if b == lower}, key=layout.x.__getitem__
    )
    width = boxes[lower[0]].size[0]
    step = min(0.5, 0.8 * width / max(len(arriving), 1))
    return step * (arriving.index(upper) - (len(arriving) - 1) / 2)


def _line_colour(source: str) -> str:
    """Lines from outside the cell can be told from those within."""
    if source == INPUT:
        return "#B8860B"
    state = previous_state(source)
    if state is None:
        return WIRE
    return ("#7B3FA0", "#2E8B8B", "#A0522D")[state % 3]


def _draw_box(pen: Pen, box: Box, layout: Layout, rows: _Rows) -> None:
    layer = layout.layers[box.name]
    x, y = layout.x[box.name, layer], rows.middle[layer]
    width, height = box.size
    left = x - width / 2
    if not box.ops:
        is_start = layer == 0
        fill = "#FFF3C4" if is_start else "#DCEBD5"
        pen.box(left, y, (width, height), fill, INK, gid=box.name)
        symbol, note = end_text(box.name)
        pen.text(x, y + 0.17, symbol, size=1.1)
        pen.text(x, y - 0.24, note, size=0.72, color=WIRE)
        return
    ports = PORTS_HEIGHT if box.is_blend else 0
    top = y + height / 2
    for index, op in enumerate(box.ops):
        label, _, colour = operation_style(op)
        middle = top - OPERATION_HEIGHT * (index + 0.5) - ports / 2
        size = (width, OPERATION_HEIGHT + ports)
        gid = f"{box.name}.{op}"
        pen.box(left, middle, size, colour, "none", gid=gid)
        pen.text(
            x,
            middle - ports / 2 - 0.01,
            label,
            color=text_colour(colour),
            size=1.45 if len(label) == 1 else 1.0,
        )
    if box.is_blend:
        _draw_letters(pen, box, layout, (x, top))


def _draw_letters(
    pen: Pen, box: Box, layout: Layout, top: tuple[float, float]
) -> None:
    """Which line is a, b, c: the order of a blend's inputs matters."""
    lower = box.name, layout.layers[box.name]
    letters: dict[str, str] = {}
    for letter, name in zip("abc", box.inputs, strict=True):
        letters[name] = letters.get(name, "") + letter
    boxes = {box.name: box}
    for upper, below in layout.segments:
        if below == lower:
            port = _port(layout, boxes, upper, lower)
            pen.text(
                top[0] + port,
                top[1] - 0.2,
                letters[upper[0]],
                size=0.85,
                color="white",
                style="italic",
            )
