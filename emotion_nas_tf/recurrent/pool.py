"""The recurrent cells that a search chooses from. Pure Python."""

import random
from dataclasses import dataclass

from emotion_nas_tf.config import CandidateSearchConfig
from emotion_nas_tf.recurrent.generator import generate_pool
from emotion_nas_tf.recurrent.mutation import mutate
from emotion_nas_tf.recurrent.names import INPUT
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import (
    BUILT_IN,
    built_in,
    load_recipes,
)
from tfrecords_builder.errors import UsageError

# Whatever else is in the pool, these are evaluated.
ALWAYS = ("lstm", "gru", "rnn")


@dataclass(frozen=True)
class Candidate:
    """A recurrent cell, and where it came from.

    Attributes:
      name: for people: `lstm`, `generated-7`, `logs.zip-12`, or whose mutation
        it is. Not unique.
      recipe: the cell, in canonical form.
    """

    name: str
    recipe: Recipe

    @property
    def digest(self) -> str:
        """By which it is known: the recipe's."""
        return self.recipe.digest


def make_pool(config: CandidateSearchConfig) -> list[Candidate]:
    """Different cells: built in, from files, and generated to fill the pool.

    A cell that comes twice, under whatever names, is there once. Cells whose
    output does not depend on x are left out.

    Raises:
      UsageError: when a file holds no recipes, or none that is valid.
    """
    pool: dict[str, Candidate] = {}

    def add(name: str, recipe: Recipe) -> None:
        if INPUT not in recipe.unreached():
            pool.setdefault(recipe.digest, Candidate(name, recipe.canonical()))

    for name in BUILT_IN:
        add(name, built_in(name))
    for path in config.recipe_files:
        for index, recipe in enumerate(load_recipes(path)):
            add(f"{path.name}-{index}", recipe)
    number = config.pool_size
    while len(pool) < config.pool_size:
        # Some may be there already; more begin with the same ones.
        for index, recipe in enumerate(generate_pool(number, config.seed)):
            if len(pool) < config.pool_size:
                add(f"generated-{index}", recipe)
        number *= 2
    return list(pool.values())


def first_candidates(config: CandidateSearchConfig) -> list[Candidate]:
    """Whom the search begins with: `ALWAYS`, and others drawn from the pool.

    Raises:
      UsageError: as `make_pool`, and when the pool is too small.
    """
    pool = make_pool(config)
    if len(pool) < config.num_candidates:
        raise UsageError(
            f"The pool holds {len(pool)} different recurrent cells; "
            f"--num_candidates={config.num_candidates} asks for more. Raise "
            "--pool_size, which generates the missing ones, or lower "
            "--num_candidates."
        )
    always = [each for each in pool if each.name in ALWAYS]
    others = [each for each in pool if each.name not in ALWAYS]
    wanted = max(config.num_candidates - len(always), 0)
    drawn = random.Random(f"candidates {config.seed}").sample(others, wanted)
    return always + drawn


def mutations_of(
    best: Candidate,
    generation: int,
    config: CandidateSearchConfig,
    known: set[str],
) -> list[Candidate]:
    """New cells one change away from the best one.

    Args:
      best: the parent.
      generation: from 1.
      config: how many, and the seed.
      known: digests of all candidates so far.
    """
    children: list[Candidate] = []
    for index in range(config.mutations):
        seed = f"{config.seed} {generation} {index}"
        recipe = mutate(
            best.recipe, seed, known | {child.digest for child in children}
        )
        # The whole line of descent would not fit into a table.
        origin = best.name.split(", ")[0]
        name = f"{origin}, mutation {generation}.{index + 1}"
        children.append(Candidate(name, recipe.canonical()))
    return children
