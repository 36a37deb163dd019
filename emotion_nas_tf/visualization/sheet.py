"""The sheet that a drawing is on: its size, title and legend."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from emotion_nas_tf.visualization.operation_style import DPI
from emotion_nas_tf.visualization.pen import INK, points


@dataclass(frozen=True)
class Sheet:
    """A figure measured in units of the drawing.

    Attributes:
      width: in units.
      height: likewise.
      pixels: of a unit.
      figure: of its own; pyplot's global state is not touched.
    """

    width: float
    height: float
    pixels: float
    figure: Figure

    @classmethod
    def blank(cls, width: float, height: float, pixels: float) -> "Sheet":
        """An empty sheet of `width` x `height` units."""
        figure = Figure(
            figsize=(width * pixels / DPI, height * pixels / DPI), dpi=DPI
        )
        FigureCanvasAgg(figure)
        return cls(width, height, pixels, figure)

    def title(self, text: str) -> None:
        """Writes a line above the drawing; nothing where there is no text."""
        if text:
            self.figure.text(
                0.5,
                1 - 0.45 / self.height,
                text,
                ha="center",
                va="center",
                fontsize=points(1.05, self.pixels),
                color=INK,
            )

    def legend(
        self, handles: Sequence[Patch], columns: int, size: float
    ) -> None:
        """Explains colours below the drawing.

        Args:
          handles: colours and what they mean.
          columns: in as many columns.
          size: of the letters, in units of the usual ones.
        """
        self.figure.legend(
            handles=handles,
            loc="lower center",
            ncols=columns,
            frameon=False,
            fontsize=points(size, self.pixels),
            handlelength=1.1,
            handleheight=0.8,
            handletextpad=0.5,
            columnspacing=1.2,
            labelspacing=0.25,
            borderaxespad=0.2,
        )
