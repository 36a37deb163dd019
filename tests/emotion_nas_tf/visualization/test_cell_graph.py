"""Drawings of cells: every label there, none on top of another."""

import itertools

import pytest
from matplotlib.text import Text

from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from emotion_nas_tf.search_space.genotype import Genotype, random_genotype
from emotion_nas_tf.visualization.cell_graph import draw_genotype
from emotion_nas_tf.visualization.operation_style import (
    operation_colour,
    operation_label,
)


def _texts(figure) -> list[Text]:
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    for axes in figure.axes:
        texts += [axes.title, *axes.texts]
    return [text for text in texts if text.get_text()]


@pytest.mark.parametrize(
    ("seed", "all_edges"),
    [(0, False), (1, False), (2, False), (3, False), (4, True)],
)
def test_no_two_texts_overlap_and_all_lie_inside(seed, all_edges):
    genotype = random_genotype(seed, all_edges=all_edges)
    figure = draw_genotype(genotype, title="epoch 3")
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in _texts(figure)]
    assert len(boxes) >= 2 * (8 + 4 + 3)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1


@pytest.mark.parametrize("cell", ["normal", "reduction"])
def test_one_cell_fits_a_tensorboard_card(cell):
    figure = draw_genotype(random_genotype(1), "epoch 3", cell)
    figure.canvas.draw()
    assert figure.canvas.get_width_height()[0] <= 350
    boxes = [t.get_window_extent() for t in _texts(figure)]
    assert len(boxes) >= 8 + 4 + 3
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def test_draws_one_label_an_edge():
    genotype = random_genotype(0)
    drawn = [t.get_text() for t in _texts(draw_genotype(genotype))]
    for operation in set(OPERATION_NAMES):
        edges = [*genotype.normal, *genotype.reduce]
        expected = sum(name == operation for name, _ in edges)
        label = operation_label(operation).replace(" ", "\n")
        assert drawn.count(label) == expected


def test_an_edge_that_is_gone_is_not_drawn():
    cell = (("none", 0), ("sep_conv_3x3", 1))
    kept, gone = (
        [t.get_text() for t in _texts(draw_genotype(genotype))]
        for genotype in (
            Genotype(cell, (2,), cell, (2,)),
            Genotype(cell, (2,), cell, (2,), all_edges=True),
        )
    )
    label = operation_label("none").replace(" ", "\n")
    assert kept.count(label) == 2
    assert gone.count(label) == 0


def test_draws_cells_of_any_size_and_any_concatenation():
    cell = (("none", 0), ("skip_connect", 0))
    larger = (*cell, ("max_pool_3x3", 2), ("none", 1))
    figure = draw_genotype(Genotype(cell, (2,), larger, (3,)))
    figure.canvas.draw()
    drawn = [text.get_text() for text in _texts(figure)]
    expected = {"none": 3, "skip_connect": 2, "max_pool_3x3": 1}
    for operation, number in expected.items():
        label = operation_label(operation).replace(" ", "\n")
        assert drawn.count(label) == number


def test_operations_have_colours_and_labels_of_their_own():
    labels = {operation_label(name) for name in OPERATION_NAMES}
    colours = {operation_colour(name) for name in OPERATION_NAMES}
    assert len(labels) == len(colours) == len(OPERATION_NAMES)
    assert operation_label("sep_conv_5x5") == "sep 5\N{MULTIPLICATION SIGN}5"
    assert operation_label("gate") == "gate"
