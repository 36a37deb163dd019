"""Recipes on disk: ours, and the benchmark's as they are."""

import json
import zipfile

import pytest

from emotion_nas_tf.recurrent.generator import table4_recipe
from emotion_nas_tf.recurrent.nodes import BLEND, LINEAR, PRODUCT, SUM, Node
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import (
    BUILT_IN,
    built_in,
    load_recipe,
    load_recipes,
    recipe_text,
    save_recipe,
)
from tfrecords_builder.errors import UsageError

RNN = {
    "f": {"op": "linear", "input": ["x", "h_prev_0"]},
    "h_new_0": {"op": "activation_tanh", "input": ["f"]},
}
# As the benchmark writes its training logs; their other keys mean nothing.
LOG = {"recepie_id": 7, "recepie": json.dumps(RNN), "num_params": 15066078}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recipe.json"


def test_round_trip(path):
    recipe = built_in("lstm")
    save_recipe(recipe, path)
    assert load_recipe(path) == recipe
    fields = json.loads(path.read_text())
    assert fields == {"schema_version": 1, "recipe": recipe.to_mapping()}


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (RNN, 1),
        ([RNN], 1),
        ([RNN, LOG, RNN], 3),
        (LOG, 1),
        ({"schema_version": 1, "recipe": RNN}, 1),
        # A node may be called as our key is.
        (
            {
                "recipe": RNN["f"],
                "h_new_0": {"op": "activation_tanh", "input": ["recipe"]},
            },
            1,
        ),
    ],
)
def test_forms_that_are_read(path, value, count):
    path.write_text(json.dumps(value))
    recipes = load_recipes(path)
    digest = Recipe.from_mapping(RNN).digest
    assert [recipe.digest for recipe in recipes] == [digest] * count


def test_folders_and_archives_of_logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    lstm = built_in("lstm").to_mapping()
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for name, recipe in (("b", RNN), ("a", lstm)):
            text = json.dumps({**LOG, "recepie": json.dumps(recipe)})
            (folder / f"log_{name}.json").write_text(text)
            archive.writestr(f"logs/log_{name}.json", text)
        archive.writestr("logs/dump_weights.pt", b"\x80")
    for path in (folder, tmp_path / "logs.zip"):
        recipes = load_recipes(path)
        assert [recipe.num_states for recipe in recipes] == [2, 1]
        with pytest.raises(UsageError, match="holds 2 recipes; expected one"):
            load_recipe(path)


def gate(
    name: str,
    activation: str,
    state: str = "h_prev_0",
    new_state: bool = False,
) -> list[Node]:
    return [
        Node(f"{name}_linear", LINEAR, ("x", state)),
        Node(
            "h_new_0" if new_state else name,
            f"activation_{activation}",
            (f"{name}_linear",),
        ),
    ]


def vanilla_recipe() -> Recipe:
    """Elman's network with tanh."""
    nodes = gate("candidate", "tanh", new_state=True)
    return Recipe(tuple(nodes))


def lstm_recipe() -> Recipe:
    """Hochreiter and Schmidhuber's, with a forget gate and no peepholes.

    The output gate is a sigmoid; the benchmark's LSTM has tanh there.
    """
    return Recipe(
        (
            *gate("input_gate", "sigm"),
            *gate("forget_gate", "sigm"),
            *gate("output_gate", "sigm"),
            *gate("candidate", "tanh"),
            Node("kept", PRODUCT, ("forget_gate", "h_prev_1")),
            Node("added", PRODUCT, ("input_gate", "candidate")),
            Node("h_new_1", SUM, ("kept", "added")),
            Node("squashed", "activation_tanh", ("h_new_1",)),
            Node("h_new_0", PRODUCT, ("output_gate", "squashed")),
        )
    )


def gru_recipe() -> Recipe:
    """Cho et al. 2014: the reset gate acts before the matrix product."""
    return Recipe(
        (
            *gate("reset_gate", "sigm"),
            *gate("update_gate", "sigm"),
            Node("reset_state", PRODUCT, ("reset_gate", "h_prev_0")),
            *gate("candidate", "tanh", "reset_state"),
            Node("h_new_0", BLEND, ("update_gate", "h_prev_0", "candidate")),
        )
    )


BUILDERS = {
    "lstm": lstm_recipe,
    "gru": gru_recipe,
    "rnn": vanilla_recipe,
    "table4": table4_recipe,
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_recipes_are_the_textbooks_and_table4(name):
    recipe = BUILDERS[name]()
    assert built_in(name) == load_recipe(name) == recipe
    assert recipe.warnings() == ()


def test_built_in_cells_are_the_published_but_for_one_gate(shared_dir):
    fixture = json.loads((shared_dir / "parity/rnn_params.json").read_text())
    published = {each["name"]: each["recipe"] for each in fixture["recipes"]}
    for name in ("rnn", "gru"):
        recipe = Recipe.from_mapping(published[name])
        assert recipe.digest == built_in(name).digest
    lstm = published["lstm"]
    assert Recipe.from_mapping(lstm).digest != built_in("lstm").digest
    lstm["o_act"]["op"] = "activation_sigm"
    assert Recipe.from_mapping(lstm).digest == built_in("lstm").digest


def test_table_4():
    """0.36M and 2.23M with a scalar attention score and 4 classes."""
    recipe = built_in("table4")
    size = recipe.size
    assert (size.input_products, size.hidden_products) == (2, 14)
    assert recipe.num_states == 2
    one = size.parameters(512, 128) + (128 + 1) + (128 + 1) * 4
    two = size.parameters(512, 256) + size.parameters(256, 256)
    two += (256 + 1) + (256 + 1) * 4
    assert (round(one / 1e6, 2), round(two / 1e6, 2)) == (0.36, 2.23)
    # Table 2: with the spectrogram branch, and the fusion's three layers.
    everything = two + 132_274 + (8 * 8 + 8) + (8 * 4 + 4) + (4 * 4 + 4)
    assert round(everything / 1e6, 2) == 2.36


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{'f': 1}", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "the list is empty"),
        (b'{"schema_version": 2, "cells": []}', "has schema version 2"),
        (b'{"recepie": "{", "id": 1}', "recepie is not a recipe"),
        (b'{"f": 1, "f": 2}', "the key 'f' is there twice"),
        (b'[{"f": {}}]', "recipe 0 of the list: Recipe.f: a node is"),
        (b'"rnn"', "expected an object that maps each node"),
    ],
)
def test_other_files_are_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(UsageError) as refusal:
        load_recipes(path)
    assert message in str(refusal.value)
    assert str(path) in str(refusal.value)


def test_nothing_there(tmp_path):
    with pytest.raises(UsageError, match=r"no recipe file .* lstm, gru, rnn"):
        load_recipe(tmp_path / "none.json")
    with pytest.raises(UsageError, match=r"expected \.json files"):
        load_recipes(tmp_path)


def test_text_has_a_node_a_line():
    assert recipe_text(Recipe.from_mapping(RNN)).splitlines()[3:5] == [
        '    "f": {"op": "linear", "input": ["x", "h_prev_0"]},',
        '    "h_new_0": {"op": "activation_tanh", "input": ["f"]}',
    ]
