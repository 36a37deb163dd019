"""Lines, boxes and texts of one style, in the units of a drawing."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from emotion_nas_tf.visualization.operation_style import DPI

INK = "#222222"
WIRE = "#555555"
_FONT_SIZE = 0.31


@dataclass(frozen=True)
class Pen:
    """Draws on axes of which a unit is `pixels` wide."""

    axes: Axes
    pixels: float

    @property
    def line_width(self) -> float:
        """Of a wire, in points."""
        return 0.028 * self.pixels

    def wire(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Draws a straight line."""
        self.axes.plot(
            x,
            y,
            color=WIRE,
            lw=self.line_width,
            zorder=1,
            solid_capstyle="round",
        )

    def dot(self, x: float, y: float) -> None:
        """Marks where a line branches off."""
        self.axes.plot(
            x, y, marker="o", ms=2.8 * self.line_width, color=WIRE, zorder=3
        )

    def arrow(self, start: tuple, end: tuple) -> None:
        """Draws an arrow; `start` and `end` are (x, y)."""
        style = {
            "arrowstyle": "-|>",
            "mutation_scale": 0.16 * self.pixels,
            "color": WIRE,
            "lw": self.line_width,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        self.axes.annotate("", end, start, zorder=1, arrowprops=style)

    def text(self, x: float, y: float, text: str, **style) -> None:
        """Writes text centred on (x, y); `style` is Matplotlib's."""
        size = style.pop("size", 1.0)
        self.axes.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=points(size, self.pixels),
            linespacing=1.05,
            zorder=5,
            **{"color": INK, **style},
        )

    def box(
        self,
        left: float,
        middle: float,
        size: tuple,
        fill: str,
        frame: str,
        gid: str | None = None,
    ) -> None:
        """Draws a box.

        Args:
          left: its left edge.
          middle: its middle's y.
          size: width and height.
          fill: its colour.
          frame: its edge's colour.
          gid: the element's name in an SVG.
        """
        width, height = size
        self.axes.add_patch(
            FancyBboxPatch(
                (left, middle - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.1",
                facecolor=fill,
                edgecolor=frame,
                linewidth=0.7 * self.line_width,
                zorder=4,
                gid=gid,
            )
        )


def points(size: float, pixels: float) -> float:
    """Font size, in points, of `size` times the usual."""
    return _FONT_SIZE * size * pixels * 72 / DPI
