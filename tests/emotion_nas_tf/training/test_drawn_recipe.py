"""Which recurrent cell is drawn for a test."""

import dataclasses
import json

import pytest

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.recurrent import generator
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training import recurrent_systems
from emotion_nas_tf.training.recurrent_systems import random_recipe, recipes_of

FOLD = Fold(1, "6", ("c",), "b", "15", (2,), (1,), (0,))


@pytest.mark.parametrize("number", [0, 1])
def test_a_drawn_cell_hears(monkeypatch, number):
    """Of those drawn for this test, the first one's output ignores x."""
    drawn = []
    endless = generator.recipes

    def noted(*of):
        for recipe in endless(*of):
            drawn.append(recipe)
            yield recipe

    monkeypatch.setattr(recurrent_systems.generator, "recipes", noted)
    recipe = random_recipe(FOLD, 0, number)
    assert "x" not in recipe.unreached()
    blind = ["x" in each.unreached() for each in drawn]
    assert blind == ([True, False] if number == 0 else [False])
    assert recipe == drawn[-1]


def test_every_test_and_seed_has_its_own():
    recipes = [
        random_recipe(fold, seed)
        for fold in (FOLD, dataclasses.replace(FOLD, test_speaker="b"))
        for seed in (0, 1)
    ]
    assert len(set(recipes)) == 4
    assert recipes[0] == random_recipe(FOLD, 0)


def test_what_diverged_with_another_seed_does_not_count(tmp_path):
    directory = RunDirectory(tmp_path).test(1, "15")
    assert drawn_of(directory, 0) == random_recipe(FOLD, 0)
    directory.recurrent.mkdir(parents=True)
    noted = [random_recipe(FOLD, 0, number).to_mapping() for number in (0, 1)]
    (directory.recurrent / "rejected_recipes.json").write_text(
        json.dumps({"diverged_in_first_epoch": noted})
    )
    assert drawn_of(directory, 0) == random_recipe(FOLD, 0, 2)
    assert drawn_of(directory, 1) == random_recipe(FOLD, 1)


def drawn_of(directory, seed):
    system = "random_recipe"
    return recipes_of(FOLD, directory, seed, (system,))[system]
