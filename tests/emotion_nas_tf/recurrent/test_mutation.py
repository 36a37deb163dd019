"""Mutations: always a recipe, always another cell, the same for a seed."""

import random
from collections import Counter

import pytest

from emotion_nas_tf.recurrent.generator import BENCHMARK_SPACES, generate
from emotion_nas_tf.recurrent.mutation import CHANGES, accepted, mutate
from emotion_nas_tf.recurrent.names import INPUT
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import built_in


def renamed(recipe):
    """The same cell under other names."""
    mapping = recipe.to_mapping()
    names = {
        name: name if name.startswith("h_new") else f"n{i}"
        for i, name in enumerate(mapping)
    }
    return Recipe.from_mapping(
        {
            names[name]: {
                "op": fields["op"],
                "input": [names.get(each, each) for each in fields["input"]],
            }
            for name, fields in mapping.items()
        }
    )


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn", "table4"])
def test_a_child_is_valid_and_new_for_every_seed(name):
    parent = built_in(name)
    sizes, digests = Counter(), set()
    for seed in range(150):
        # `Recipe` refuses circles, wrong arities and unused inputs.
        child = mutate(parent, seed, known=())
        assert Recipe.from_mapping(child.to_mapping()).digest == child.digest
        assert child.digest != parent.digest
        assert child.num_states == parent.num_states
        assert INPUT not in child.unreached()
        sizes[len(child.nodes) - len(parent.nodes)] += 1
        digests.add(child.digest)
    # Nodes come, go and stay.
    assert sizes[0] > 5
    assert sum(n for more, n in sizes.items() if more > 0) > 5
    assert name == "rnn" or sum(n for m, n in sizes.items() if m < 0) > 5
    # At most two nodes more: a linear one and its activation.
    assert max(sizes) <= 2
    assert len(digests) > 12


def test_every_kind_of_change_is_often_accepted():
    """Otherwise a kind would hardly ever be drawn to its end."""
    for change in CHANGES:
        children = 0
        for seed in range(60):
            parent = generate(BENCHMARK_SPACES[seed % 9], seed)
            nodes = list(parent.canonical().nodes)
            child = accepted(change(nodes, random.Random(seed)))
            children += bool(child) and child.digest != parent.digest
        assert children > 15, change.__name__


def test_a_long_line_of_descent_stays_valid():
    recipe = built_in("gru")
    for seed in range(200):
        recipe = mutate(recipe, seed, known=())
    assert 2 <= len(recipe.nodes) < 60


def test_the_same_cell_and_seed_have_the_same_child():
    parent = built_in("lstm")
    child = mutate(parent, "0 1 2", known=())
    assert mutate(renamed(parent), "0 1 2", known=()) == child
    other = mutate(parent, "0 1 2", known={child.digest})
    assert other.digest not in (child.digest, parent.digest)
