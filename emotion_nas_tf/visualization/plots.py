"""Plots of a run: architecture weights, confusion, learning curves.

Every function returns a Matplotlib figure of its own (no pyplot, no display,
safe in threads); `figure_to_*` turn it into what a summary or a page takes.
"""

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from emotion_nas_tf.search_space.edges import OPERATION_NAMES, Edge, num_edges
from emotion_nas_tf.search_space.genotype import Genotype, genotype_of_strengths
from emotion_nas_tf.visualization.operation_style import (
    CARD_PIXELS,
    CELLS,
    DPI,
    edge_names,
    operation_colour,
    operation_label,
)


def figure_to_image(figure: Figure) -> np.ndarray:
    """(1, height, width, 4) uint8 RGBA, as an image summary takes it."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[None]


def figure_to_svg(figure: Figure) -> str:
    """The figure as an SVG document; equal figures give equal text."""
    text = io.StringIO()
    # Without a salt and with a date, no two files would be alike.
    with matplotlib.rc_context({"svg.hashsalt": "emotion-nas-tf"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def alpha_heat_map(
    normal: np.ndarray,
    reduce: np.ndarray,
    title: str = "",
    cell: str | None = None,
    genotype: Genotype | None = None,
) -> Figure:
    """What the operations are ranked by, one row an edge.

    Args:
      normal: (edges, operations), e.g. probabilities; edges ordered by target
        node, then source.
      reduce: the same for the reduction cell.
      title: a line above.
      cell: `normal` or `reduction` for one cell in the size of a TensorBoard
        card; None for both. The colours are the same.
      genotype: the cells derived from them; None for the published rule's.

    Returns:
      Maps of percentages; frames mark what the genotype would keep now.
    """
    genotype = genotype or genotype_of_strengths(normal, reduce)
    kept = {
        "normal": genotype.nodes("normal"),
        "reduction": genotype.nodes("reduce"),
    }
    percent = {
        "normal": 100 * np.asarray(normal, np.float64),
        "reduction": 100 * np.asarray(reduce, np.float64),
    }
    everything = np.concatenate(list(percent.values()))
    # A short search leaves every probability near 1/8: colours spread over
    # what there is, pale at an equal share, and numbers show the difference.
    equal = 100 / everything.shape[-1]
    low, high = min(everything.min(), equal), max(everything.max(), equal)
    scale = TwoSlopeNorm(equal, vmin=low - 1e-3, vmax=high + 1e-3)
    decimals = sum(high - low < bound for bound in (10, 1, 0.1))
    names = CELLS if cell is None else (cell,)
    size, width = (9, 13.0) if cell is None else (6.2, CARD_PIXELS / DPI)
    height = (0.04 * len(normal) + 0.22) * size
    figure = _figure(width, height, title, 1.5 * size)
    for index, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), index + 1)
        shades = axes.imshow(
            percent[name], cmap="RdBu_r", norm=scale, aspect="auto"
        )
        _label_heat_map(axes, percent[name], scale, decimals, size)
        _frame_edges(axes, kept[name], size)
        axes.set_title(f"{name} cell, %: framed is kept", fontsize=1.4 * size)
    if cell is None:
        figure.colorbar(
            shades,
            ax=figure.axes,
            label=f"weight, % (equal shares: {equal:g})",
            fraction=0.03,
            ticks=[low, equal, high],
            format=f"%.{max(decimals, 1)}f",
        )
    return figure


def alpha_history(strengths: np.ndarray) -> Figure:
    """How the architecture weights moved.

    Args:
      strengths: (epochs, 2, edges, operations), e.g. probabilities; normal
        cell first.

    Returns:
      For each cell, the strength of every operation, averaged over the edges,
      against the epoch.
    """
    percent = 100 * np.asarray(strengths, np.float64).mean(axis=2)
    epochs = np.arange(1, len(percent) + 1)
    figure = _figure(13, 4.6)
    axes = figure.subplots(1, 2, sharey=True)
    for cell, panel in enumerate(axes):
        for index, name in enumerate(OPERATION_NAMES):
            panel.plot(
                epochs,
                percent[:, cell, index],
                color="black" if name == "none" else operation_colour(name),
                linestyle=":" if name == "none" else "-",
                linewidth=2.2,
                marker="o" if len(epochs) == 1 else None,
                label=operation_label(name),
            )
        panel.set_title(f"{CELLS[cell]} cell", fontsize=13)
        _finish(panel, "epoch of the search")
    axes[0].set_ylabel("mean weight over the edges, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right")
    return figure


def confusion_figure(
    matrix: np.ndarray, labels: Sequence[str], title: str = ""
) -> Figure:
    """A confusion matrix: counts, shaded by the share of the true class.

    Args:
      matrix: (K, K) counts; rows are the truth.
      labels: the K class names.
      title: a line above.
    """
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shares = matrix / totals
    size = 1.9 + 0.75 * len(labels)
    figure = _figure(size + 0.6, size, title)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        axes.text(
            column,
            row,
            f"{count}\n{shares[row, column]:.0%}",
            ha="center",
            va="center",
            fontsize=11,
            color="white" if shares[row, column] > 0.55 else "black",
        )
    ticks = range(len(labels))
    axes.set_xticks(ticks, labels, rotation=30, ha="right", fontsize=12)
    axes.set_yticks(ticks, labels, fontsize=12)
    axes.set_xlabel("predicted", fontsize=12)
    axes.set_ylabel("truth", fontsize=12)
    return figure


def learning_curves(
    rows: Sequence[Mapping[str, float]], title: str = ""
) -> Figure:
    """Loss, UA and, of a search, alpha entropy against the epoch.

    Args:
      rows: the rows of `history.csv`, one an epoch; columns that are missing
        or empty are left out.
      title: a line above.
    """
    panels = [
        ("loss", ("train_loss", "validation_loss"), 1),
        ("UA, %", ("train_ua", "validation_ua"), 100),
        ("alpha entropy, nats", ("alpha_entropy",), 1),
    ]
    panels = [
        (label, [n for n in names if _column(rows, n).size], scale)
        for label, names, scale in panels
    ]
    panels = [panel for panel in panels if panel[1]]
    figure = _figure(4.6 * max(len(panels), 1), 3.8, title)
    for index, (label, names, scale) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        for name in names:
            values = scale * _column(rows, name)
            is_validation = name.startswith("validation")
            axes.plot(
                np.arange(1, len(values) + 1),
                values,
                color="#D55E00" if is_validation else "#0072B2",
                linewidth=2,
                marker="o" if len(values) == 1 else None,
                label="validation" if is_validation else "training",
            )
        axes.set_ylabel(label)
        _finish(axes, "epoch")
        if len(names) > 1:
            axes.legend(frameon=False)
    return figure


def _label_heat_map(
    axes: Axes,
    percent: np.ndarray,
    scale: TwoSlopeNorm,
    decimals: int,
    size: float,
) -> None:
    for (row, column), value in np.ndenumerate(percent):
        is_dark = abs(scale(value) - 0.5) > 0.35
        axes.text(
            column,
            row,
            f"{value:.{decimals}f}",
            ha="center",
            va="center",
            fontsize=size,
            color="white" if is_dark else "black",
        )
    axes.set_xticks(
        range(len(OPERATION_NAMES)),
        [operation_label(name) for name in OPERATION_NAMES],
        rotation=35,
        ha="right",
        fontsize=1.2 * size,
    )
    axes.set_yticks(
        range(len(percent)), edge_names(len(percent)), fontsize=1.2 * size
    )
    axes.tick_params(length=0.3 * size, pad=0.2 * size)


def _frame_edges(
    axes: Axes, kept: Sequence[Sequence[Edge]], size: float
) -> None:
    rows = [
        (num_edges(node) + source, operation)
        for node, edges in enumerate(kept)
        for operation, source in edges
    ]
    for row, operation in rows:
        corner = (OPERATION_NAMES.index(operation) - 0.5, row - 0.5)
        axes.add_patch(
            Rectangle(
                corner,
                1,
                1,
                fill=False,
                edgecolor="black",
                linewidth=0.3 * size,
            )
        )


def _figure(
    width: float, height: float, title: str = "", title_size: float = 14
) -> Figure:
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize=title_size)
    return figure


def _finish(axes: Axes, x_label: str) -> None:
    axes.set_xlabel(x_label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    # Tick labels as they are: matplotlib would write 1e-5+2.0794 above them.
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _column(rows: Sequence[Mapping], name: str) -> np.ndarray:
    values = [row.get(name) for row in rows]
    return np.array([float(v) for v in values if v not in (None, "")])
