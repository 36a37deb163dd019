"""Recipes: checked, counted, recognised."""

import gzip
import json
import random

import pytest

from emotion_nas_tf.recurrent.names import new_state
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import built_in
from tfrecords_builder.errors import UsageError

RNN = {
    "f": {"op": "linear", "input": ["x", "h_prev_0"]},
    "h_new_0": {"op": "activation_tanh", "input": ["f"]},
}


def tanh(name):
    return {"op": "activation_tanh", "input": [name]}


def benchmark(shared_dir):
    path = shared_dir / "parity/nasbench_nlp_recipes.json.gz"
    with gzip.open(path) as file:
        return [entry["recipe"] for entry in json.load(file)["entries"]]


def scrambled(mapping, generator):
    """The same cell: other names, another order of nodes and inputs."""
    names = [name for name in mapping if new_state(name) is None]
    new = dict(zip(names, generator.sample(range(99), len(names)), strict=True))
    items = list(mapping.items())
    generator.shuffle(items)
    result = {}
    for name, fields in items:
        inputs = [
            f"n{new[each]}" if each in new else each for each in fields["input"]
        ]
        if fields["op"] != "blend":
            generator.shuffle(inputs)
        name = f"n{new[name]}" if name in new else name
        result[name] = {"op": fields["op"], "input": inputs}
    return result


def test_the_benchmark_holds_265_cells(shared_dir):
    mappings = benchmark(shared_dir)
    recipes = [Recipe.from_mapping(mapping) for mapping in mappings]
    assert len(recipes) == 291
    assert len({recipe.digest for recipe in recipes}) == 265
    assert len({recipe.canonical() for recipe in recipes}) == 265
    generator = random.Random(0)
    for mapping, recipe in zip(mappings, recipes, strict=True):
        again = Recipe.from_mapping(scrambled(mapping, generator))
        assert again.canonical() == recipe.canonical()
        assert again.canonical().digest == recipe.digest


def test_sizes_equal_the_published(shared_dir):
    fixture = json.loads((shared_dir / "parity/rnn_params.json").read_text())
    assert len(fixture["recipes"]) == 18
    for fields in fixture["recipes"]:
        recipe = Recipe.from_mapping(fields["recipe"])
        assert recipe.num_states == fields["hidden_states"]
        size = recipe.size
        assert (size.input_products, size.hidden_products, size.linears) == (
            fields["linear_x_inputs"],
            fields["linear_h_inputs"],
            fields["linear_nodes"],
        )
        assert size.parameters(512, 128) == fields["rnn_params_L1_h128_in512"]
        assert (
            size.parameters(512, 256) + size.parameters(256, 256)
            == fields["rnn_params_L2_h256_in512"]
        )


def test_sharing_a_linear_node_is_another_cell():
    """As a tree of operations both read alike; the weights differ."""
    shared = {
        "f": RNN["f"],
        "a": tanh("f"),
        "b": {"op": "activation_sigm", "input": ["f"]},
        "h_new_0": {"op": "elementwise_prod", "input": ["a", "b"]},
    }
    own = {
        **shared,
        "g": RNN["f"],
        "b": {"op": "activation_sigm", "input": ["g"]},
    }
    digests = {Recipe.from_mapping(m).digest for m in (shared, own)}
    assert len(digests) == 2


def test_order_matters_to_blend_alone():
    def cell(op, inputs):
        return Recipe.from_mapping(
            {
                "f": RNN["f"],
                "a": tanh("f"),
                "b": {"op": "activation_sigm", "input": ["f"]},
                "h_new_0": {"op": op, "input": inputs},
            }
        ).digest

    assert cell("blend", ["a", "b", "f"]) != cell("blend", ["b", "a", "f"])
    assert cell("blending", ["a", "b", "f"]) == cell("blend", ["a", "b", "f"])
    assert cell("elementwise_sum", ["a", "b"]) == cell(
        "elementwise_sum", ["b", "a"]
    )


def test_many_twins_take_no_time():
    """Nine alike branches: 9! orders of equal standing."""
    branches = {}
    for i in range(9):
        branches[f"l{i}"] = RNN["f"]
        branches[f"a{i}"] = tanh(f"l{i}")
    branches["h_new_0"] = {
        "op": "linear",
        "input": [f"a{i}" for i in range(9)],
    }
    again = scrambled(branches, random.Random(1))
    recipe = Recipe.from_mapping(branches)
    assert Recipe.from_mapping(again).digest == recipe.digest


def test_nodes_are_sorted_and_survive_the_way_out_and_back():
    recipe = Recipe.from_mapping(dict(reversed(RNN.items())))
    assert [node.name for node in recipe.nodes] == ["f", "h_new_0"]
    assert recipe.to_mapping() == RNN
    assert Recipe.from_mapping(recipe.to_mapping()) == recipe


def test_states_that_never_reach_the_output():
    assert built_in("lstm").unreached() == ()
    aside = {
        **RNN,
        "g": {"op": "linear", "input": ["h_prev_1", "f"]},
        "h_new_1": tanh("g"),
    }
    recipe = Recipe.from_mapping(aside)
    assert recipe.unreached() == ("h_new_1",)
    (warning,) = recipe.warnings()
    assert "h_new_1 never reaches the output" in warning
    # A step later is soon enough.
    aside["f"] = {"op": "linear", "input": ["x", "h_prev_0", "h_prev_1"]}
    assert Recipe.from_mapping(aside).warnings() == ()
    # The input may be lost as well.
    deaf = {
        "f": {"op": "linear", "input": ["h_prev_0"]},
        "h_new_0": tanh("f"),
        "g": {"op": "linear", "input": ["x", "h_prev_1"]},
        "h_new_1": tanh("g"),
    }
    assert Recipe.from_mapping(deaf).unreached() == ("x", "h_new_1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f": {"op": "conv", "input": ["x"]}}, "Recipe.f: unknown operation"),
        (
            {"f": {"op": "linear", "input": ["h_new_0", "x", "h_prev_0"]}},
            "circle, so none can come first: f reads h_new_0 reads f",
        ),
        ({"h_new_0": tanh("h_new_0")}, "h_new_0 reads h_new_0"),
        (
            {"h_new_0": {"op": "elementwise_sum", "input": ["f"]}},
            "elementwise_sum takes 2 inputs. Received: ['f']",
        ),
        (
            {"h_new_0": {"op": "blend", "input": ["f", "f"]}},
            "blend takes 3 inputs",
        ),
        (
            {"h_new_0": {"op": "activation_tanh", "input": ["f", "f"]}},
            "activation_tanh takes 1 input.",
        ),
        ({"f": {"op": "linear", "input": []}}, "linear takes at least 1 input"),
        (
            {"f": {"op": "linear", "input": ["x", "h_prev_0", "x"]}},
            "reads an input once",
        ),
        ({"h_new_0": tanh("g")}, "reads 'g', which is neither a node nor"),
        ({"h_new_0": tanh("h_prev_1")}, "one of x, h_prev_0"),
        ({"h_new_0": tanh("x")}, "only a linear node may read it"),
        ({"f": {"op": "linear", "input": ["x"]}}, "h_prev_0 is not used"),
        ({"f": {"op": "linear", "input": ["h_prev_0"]}}, "x is not used"),
        ({"g": tanh("f")}, "no new state needs g"),
        ({"h_new_2": tanh("f")}, "without a gap. Received: h_new_0, h_new_2"),
        ({"x": tanh("f")}, "Recipe.x: this is the name of an input"),
        ({"f": ["linear", "x"]}, 'a node is {"op": name, "input": [names]}'),
        ({"f": {"op": "linear", "input": "x"}}, "Recipe.f: a node is"),
        ({"f": {"op": "linear", "input": ["x", 0]}}, "Recipe.f: a node is"),
    ],
)
def test_wrong_recipes_are_refused_by_node(changes, message):
    with pytest.raises(UsageError) as refusal:
        Recipe.from_mapping({**RNN, **changes})
    assert message in str(refusal.value)


@pytest.mark.parametrize("value", [{}, [], None, "rnn", {"f": RNN["f"]}])
def test_other_things_are_no_recipes(value):
    with pytest.raises(UsageError, match=r"Recipe"):
        Recipe.from_mapping(value)
