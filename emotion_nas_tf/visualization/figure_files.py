"""Figures as files: SVG or PNG, whole or not at all."""

from pathlib import Path

from matplotlib.figure import Figure

from emotion_nas_tf.visualization.plots import figure_to_svg
from tfrecords_builder.files import replacing


def save_figure(figure: Figure, path: Path) -> None:
    """Writes an SVG or a PNG, whole or not at all."""
    with replacing(path) as temporary:
        if path.suffix == ".svg":
            temporary.write_text(figure_to_svg(figure), encoding="utf-8")
        else:
            figure.savefig(temporary, format="png")
