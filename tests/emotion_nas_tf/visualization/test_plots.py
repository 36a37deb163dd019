"""Plots: the numbers they show, and the forms they come in."""

import numpy as np
from matplotlib.patches import Rectangle

from emotion_nas_tf.search_space.genotype import (
    OPERATION_NAMES,
    derive_genotype,
    random_genotype,
)
from emotion_nas_tf.search_space.strengths import softmax
from emotion_nas_tf.visualization import plots
from emotion_nas_tf.visualization.operation_style import edge_names


def _texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def _frames(axes) -> set[tuple[int, int]]:
    return {
        (round(p.get_x() + 0.5), round(p.get_y() + 0.5))
        for p in axes.patches
        if isinstance(p, Rectangle)
    }


def test_heat_map_shows_percentages_and_frames_the_genotype():
    logits = np.zeros((2, 14, 8))
    logits[0, 3, 4] = np.log(7)  # 7 / (7 + 7) on sep_conv_3x3
    figure = plots.alpha_heat_map(*softmax(logits), title="epoch 1")
    normal = figure.axes[0]
    assert _texts(normal)[3 * 8 + 4] == "50"
    assert _texts(normal)[0] == "12"
    assert (4, 3) in _frames(normal)
    assert len(_frames(normal)) == len(derive_genotype(*logits).normal)


def test_heat_map_frames_the_cells_that_were_derived_otherwise():
    strengths, genotype = np.full((2, 14, 8), 0.5), random_genotype(0)
    figure = plots.alpha_heat_map(*strengths, genotype=genotype)
    rows = (0, 0, 2, 2, 5, 5, 9, 9)
    assert _frames(figure.axes[0]) == {
        (OPERATION_NAMES.index(operation), row + source)
        for (operation, source), row in zip(genotype.normal, rows, strict=True)
    }


def test_heat_map_of_a_short_search_shows_small_differences():
    logits = np.zeros((2, 14, 8))
    assert "12.500" in _texts(plots.alpha_heat_map(*softmax(logits)).axes[0])
    logits[1, 13, 2] = 0.02  # exp(0.02) / (7 + exp(0.02)) = 12.72 %
    figure = plots.alpha_heat_map(*softmax(logits))
    assert _texts(figure.axes[1])[13 * 8 + 2] == "12.72"
    assert _texts(figure.axes[0])[0] == "12.50"
    card = plots.alpha_heat_map(
        *softmax(logits), title="epoch 1", cell="reduction"
    )
    assert _texts(card.axes[0]) == _texts(figure.axes[1])
    assert card.canvas.get_width_height()[0] <= 350


def test_edge_names_follow_the_order_of_the_logits():
    names = edge_names(14)
    assert names[0] == "$c_{k-2}$ \N{RIGHTWARDS ARROW} node 0"
    assert names[4] == "node 0 \N{RIGHTWARDS ARROW} node 1"
    assert names[13] == "node 2 \N{RIGHTWARDS ARROW} node 3"
    assert len(names) == 14


def test_alpha_history_averages_probabilities_over_edges():
    logits = np.zeros((3, 2, 2, 8))
    logits[2, 1, 0, 5] = np.log(7)  # 50 % and 12.5 %: mean 31.25 %
    figure = plots.alpha_history(softmax(logits))
    line = figure.axes[1].lines[5]
    np.testing.assert_allclose(line.get_ydata(), [12.5, 12.5, 31.25])


def test_confusion_shows_counts_and_shares_of_the_truth():
    figure = plots.confusion_figure(
        np.array([[3, 1], [0, 0]]), ["angry", "sad"]
    )
    assert _texts(figure.axes[0]) == ["3\n75%", "1\n25%", "0\n0%", "0\n0%"]


def test_learning_curves_leave_out_what_is_not_there():
    rows = [
        {"epoch": "1", "train_loss": "1.5", "train_ua": "0.25"},
        {"epoch": "2", "train_loss": "1.0", "train_ua": "0.5"},
    ]
    figure = plots.learning_curves(rows)
    assert len(figure.axes) == 2
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), [25, 50])


def test_learning_curves_of_an_empty_history():
    assert plots.learning_curves([]).axes == []


def test_forms_of_a_figure():
    figure = plots.confusion_figure(np.eye(2, dtype=int), ["a", "b"])
    image = plots.figure_to_image(figure)
    width, height = figure.canvas.get_width_height()
    assert image.shape == (1, height, width, 4)
    assert image.dtype == np.uint8
    svg = plots.figure_to_svg(figure)
    assert svg == plots.figure_to_svg(figure)
    assert "<svg" in svg
