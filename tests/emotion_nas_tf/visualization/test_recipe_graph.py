"""Drawings of recurrent cells: every operation there, nothing overlapping."""

import itertools
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from emotion_nas_tf.recurrent.generator import RecipeSpace, generate
from emotion_nas_tf.recurrent.recipe_files import BUILT_IN, built_in
from emotion_nas_tf.visualization.figure_files import save_figure
from emotion_nas_tf.visualization.layered_layout import lay_out
from emotion_nas_tf.visualization.recipe_boxes import recipe_lines
from emotion_nas_tf.visualization.recipe_graph import draw_recipe

RECIPES = {
    **{name: built_in(name) for name in BUILT_IN},
    **{
        f"{states} states, {nodes} nodes": generate(
            RecipeSpace(states, nodes), seed=0
        )
        for states, nodes in ((1, 21), (2, 21), (3, 14), (3, 21))
    },
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_svg_has_every_operation_once(recipe, tmp_path):
    path = tmp_path / "cell.svg"
    save_figure(draw_recipe(recipe), path)
    names = [e.get("id") for e in ElementTree.parse(path).iter() if e.get("id")]
    drawn = [name for name in names if "." in name]
    # An activation may carry the linear map that it alone reads.
    ops = sorted(name.split(".", 1)[1] for name in drawn)
    assert ops == sorted(node.op for node in recipe.nodes)
    owners = {name.split(".", 1)[0] for name in drawn}
    assert {n.name for n in recipe.nodes if n.op != "linear"} <= owners
    for state in range(recipe.num_states):
        assert f"h_prev_{state}" in names
        assert f"h_new_{state}'" in names
    assert "x" in names


@pytest.mark.parametrize("card", [False, True])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_no_two_texts_overlap_and_all_lie_inside(recipe, card):
    figure = draw_recipe(recipe, "the winner", card)
    figure.canvas.draw()
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    texts += figure.axes[0].texts
    boxes = [t.get_window_extent() for t in texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1


def test_the_blend_of_a_gru_says_which_input_is_which():
    texts = draw_recipe(built_in("gru")).axes[0].texts
    letters = {t.get_text(): t.get_position()[0] for t in texts}
    # h_new = blend(update_gate, h_prev_0, candidate); h_prev_0 comes past the
    # gate's right, the candidate from its left.
    assert letters["c"] < letters["a"] < letters["b"]


def test_lines_meet_no_box():
    widths = dict.fromkeys("xhabcd", 2.0)
    edges = [("x", "a"), ("h", "b"), ("a", "b"), ("b", "c"), ("x", "c")]
    edges += [("a", "d"), ("c", "d")]
    layout = lay_out(edges, widths, ["x", "h"], ["d"], 0.5, 0.25)
    # Longest ways: x, a, b, c, d.
    assert [layout.layers[name] for name in "xhabcd"] == [0, 0, 1, 2, 3, 4]
    for (one, x), (other, y) in itertools.combinations(layout.x.items(), 2):
        if one[1] != other[1]:
            continue
        rooms = sum(
            widths[name] / 2 if layout.layers[name] == layer else 0.25
            for name, layer in (one, other)
        )
        assert abs(x - y) >= rooms + 0.25 - 1e-6
    # x passes layers 1 and 2 in one line on its way to c.
    assert (("x", 0), ("x", 1)) in layout.segments
    assert (("x", 2), ("c", 3)) in layout.segments
    assert layout.x["x", 1] == pytest.approx(layout.x["x", 2])


def test_writes_the_same_svg_twice_and_a_png(tmp_path):
    recipe = built_in("lstm")
    for name in ("one.svg", "two.svg", "one.png"):
        save_figure(draw_recipe(recipe, "LSTM"), tmp_path / name)
    first, second = (tmp_path / f"{n}.svg" for n in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    assert imread(tmp_path / "one.png").shape[2] == 4


def test_text_has_a_line_a_node():
    lines = recipe_lines(built_in("rnn")).splitlines()
    assert lines == [
        "candidate_linear = linear(x, h_prev_0)",
        "h_new_0 = activation_tanh(candidate_linear)",
    ]
