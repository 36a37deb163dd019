"""Plots of results: intervals, reliability. Figures as those of `plots`."""

from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from emotion_nas_tf.visualization.operation_style import DPI

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#888888"


def intervals_figure(
    rows: Sequence[tuple[str, float | None, Sequence[float] | None]],
    chance: float,
) -> Figure:
    """Points with their intervals, one row a system, the first on top.

    Args:
      rows: (name, value from 0 to 1 or None, (low, high) or None).
      chance: where a dashed line stands.
    """
    figure = Figure(
        figsize=(5.6, 0.8 + 0.34 * len(rows)), dpi=DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(rows) - 1, -1, -1)
    for place, (_, value, interval) in zip(places, rows, strict=True):
        if interval is not None:
            bounds = [100 * bound for bound in interval]
            axes.plot(bounds, [place, place], color=_BLUE, lw=3, alpha=0.45)
        if value is not None:
            axes.plot(100 * value, place, "o", color=_BLUE, ms=7)
            axes.annotate(
                f"{100 * value:.1f}",
                (100 * value, place),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    axes.axvline(100 * chance, color=_GREY, ls="--", lw=1.2)
    axes.set_yticks(list(places), [name for name, _, _ in rows], fontsize=10)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.set_xlim(0, 102)
    axes.set_xlabel("UA, %", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def reliability_figure(bins: Sequence[Mapping], error: float) -> Figure:
    """How often answers are right, against how sure the system is.

    Args:
      bins: of equal width over the confidence, each with `num_examples`, mean
        `confidence` and `accuracy` (None in an empty bin).
      error: expected calibration error, 0 to 1.
    """
    figure = Figure(figsize=(4.4, 4.4), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes, below = figure.subplots(
        2, 1, sharex=True, height_ratios=[4, 1], squeeze=True
    )
    width = 1 / len(bins)
    middles = [width * (index + 0.5) for index in range(len(bins))]
    counts = [each["num_examples"] for each in bins]
    axes.plot([0, 1], [0, 1], color=_GREY, ls="--", lw=1.2)
    full = [each for each in bins if each["num_examples"]]
    axes.plot(
        [each["confidence"] for each in full],
        [each["accuracy"] for each in full],
        "o-",
        color=_BLUE,
        ms=5,
    )
    axes.vlines(
        [each["confidence"] for each in full],
        [each["accuracy"] for each in full],
        [each["confidence"] for each in full],
        color=_ORANGE,
        lw=4,
        alpha=0.4,
    )
    axes.set_ylim(0, 1.03)
    axes.set_ylabel("share that is right")
    axes.set_title(f"calibration error {100 * error:.1f} %", fontsize=10)
    below.bar(middles, counts, 0.9 * width, color=_BLUE, alpha=0.6)
    below.set_xlim(0, 1)
    below.set_xlabel("how sure the system is")
    below.set_ylabel("utterances")
    for each in (axes, below):
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
    return figure
