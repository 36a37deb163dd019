"""Random recipes by the rules of NAS-Bench-NLP, reproducible by seed.

Nodes are drawn one after the other until there are enough; some of them, drawn
at random, become the new states; what no new state needs is dropped. A draw
that leaves x or a hidden state unused, or whose new state reads a hidden state
directly, is thrown away. The published generator draws from sets of names, in
an order that changes with the process; this one draws from lists.

Pure Python: no TensorFlow.
"""

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emotion_nas_tf.recurrent.names import (
    INPUT,
    new_state,
    previous_state,
)
from emotion_nas_tf.recurrent.nodes import (
    ACTIVATIONS,
    BLEND,
    LINEAR,
    PRODUCT,
    SUM,
    Node,
)
from emotion_nas_tf.recurrent.recipe import Recipe
from tfrecords_builder.errors import UsageError

STATES = (1, 2, 3)
INTERMEDIATE = (7, 14, 21)

# The weight of each operation, and of each number of inputs of a linear node.
_OPERATION_WEIGHTS = {LINEAR: 3, BLEND: 1, PRODUCT: 1, SUM: 1}
_LINEAR_INPUT_WEIGHTS = {2: 4, 3: 1}
# More misses in a row than this, and what is asked for hardly exists.
_MOST_DRAWS = 5_000
_NUM_INPUTS = {BLEND: 3, PRODUCT: 2, SUM: 2}

# How table4.json was found: the size that alone fits the paper's Table 4 and,
# with the spectrogram branch, the 2.36M of Table 2; the paper's two hidden
# states (section 2.2); and the seed of the search.
TABLE4_SIZE = {"input_products": 2, "hidden_products": 14, "linears": 6}
TABLE4_SEED = 0


@dataclass(frozen=True)
class RecipeSpace:
    """Of which recipes to draw.

    Attributes:
      num_states: hidden states.
      num_intermediate: nodes drawn beside the new states. A linear node and
        the activation after it come together, so one more may be drawn; fewer
        are left when some are not needed.

    Raises:
      UsageError: fewer than one of either.
    """

    num_states: int = 2
    num_intermediate: int = 14

    def __post_init__(self) -> None:
        if min(self.num_states, self.num_intermediate) < 1:
            raise UsageError(
                "RecipeSpace: num_states and num_intermediate must be at "
                f"least 1. Received: {self.num_states}, "
                f"{self.num_intermediate}"
            )


# The benchmark's nine, in its order.
BENCHMARK_SPACES = tuple(
    RecipeSpace(states, intermediate)
    for states in STATES
    for intermediate in INTERMEDIATE
)


def generate(space: RecipeSpace, seed: int) -> Recipe:
    """A recipe: a function of its arguments, in any process."""
    return next(recipes(space, seed))


def recipes(space: RecipeSpace, seed: int) -> Iterator[Recipe]:
    """Endless recipes, each as drawn; the same cell may come twice."""
    # Python seeds itself with a text's SHA-512: the same in every process.
    generator = random.Random(
        f"{space.num_states} {space.num_intermediate} {seed}"
    )
    while True:
        draws = (_draw(space, generator) for _ in range(_MOST_DRAWS))
        yield Recipe(
            _first(draws, lambda nodes: _accepted(nodes, space.num_states))
        )


def generate_pool(
    number: int,
    seed: int,
    spaces: tuple[RecipeSpace, ...] = BENCHMARK_SPACES,
) -> list[Recipe]:
    """Different cells, drawn from the spaces in turn.

    Args:
      number: how many; a pool of more begins with the pool of fewer.
      seed: of all.
      spaces: where from.

    Raises:
      UsageError: when a space is too small for so many.
    """
    sources = [recipes(space, seed) for space in spaces]
    pool: dict[str, Recipe] = {}
    while len(pool) < number:
        source = sources[len(pool) % len(sources)]
        draws = itertools.islice(source, _MOST_DRAWS)
        recipe = _first(draws, lambda r: r.digest not in pool)
        pool[recipe.digest] = recipe
    return list(pool.values())


def find(space: RecipeSpace, seed: int, **size: int) -> Recipe:
    """The first recipe of a size whose states all reach the output.

    Args:
      space: where from.
      seed: of the draws.
      **size: fields of `LayerSize` and what they must be.

    Raises:
      UsageError: when thousands of draws had none.
    """

    def fits(recipe: Recipe) -> bool:
        found = dataclasses.asdict(recipe.size)
        return not recipe.unreached() and found == {**found, **size}

    return _first(itertools.islice(recipes(space, seed), _MOST_DRAWS), fits)


def table4_recipe() -> Recipe:
    """A cell with as many weights as the paper's Tables 2 and 4 say."""
    return find(RecipeSpace(2, 14), TABLE4_SEED, **TABLE4_SIZE).canonical()


def _draw(space: RecipeSpace, generator: random.Random) -> tuple[Node, ...]:
    """Nodes, renamed and pruned; not yet checked."""
    previous = [f"h_prev_{k}" for k in range(space.num_states)]
    nodes: list[Node] = []
    activated: list[str] = []
    while len(nodes) < space.num_states + space.num_intermediate:
        op = _weighted(_OPERATION_WEIGHTS, generator)
        name = f"node_{len(nodes)}"
        if op == LINEAR:
            readable = [INPUT, *previous, *activated]
            wanted = _weighted(_LINEAR_INPUT_WEIGHTS, generator)
            inputs = generator.sample(readable, min(wanted, len(readable)))
            nodes.append(Node(name, LINEAR, tuple(inputs)))
            activation = generator.choice(ACTIVATIONS)
            activated.append(f"node_{len(nodes)}")
            nodes.append(Node(activated[-1], activation, (name,)))
        else:
            readable = [*previous, *(node.name for node in nodes)]
            if len(readable) >= _NUM_INPUTS[op]:
                inputs = generator.sample(readable, _NUM_INPUTS[op])
                nodes.append(Node(name, op, tuple(inputs)))
    chosen = generator.sample([n.name for n in nodes], space.num_states)
    names = {name: f"h_new_{k}" for k, name in enumerate(chosen)}
    renamed = [
        Node(
            names.get(node.name, node.name),
            node.op,
            tuple(names.get(each, each) for each in node.inputs),
        )
        for node in nodes
    ]
    return prune(renamed, space.num_states)


def prune(nodes: list[Node], num_states: int) -> tuple[Node, ...]:
    """Drops what no new state needs. Nodes come after those they read."""
    needed = {f"h_new_{k}" for k in range(num_states)}
    kept = []
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _accepted(nodes: tuple[Node, ...], num_states: int) -> bool:
    read = {name for node in nodes for name in node.inputs}
    inputs = {INPUT, *(f"h_prev_{k}" for k in range(num_states))}
    direct = any(
        previous_state(each) is not None
        for node in nodes
        if new_state(node.name) is not None
        for each in node.inputs
    )
    return inputs <= read and not direct


def _weighted(weights: dict, generator: random.Random):
    return generator.choices(list(weights), list(weights.values()))[0]


def _first(draws: Iterator, wanted: Callable[..., bool]):
    for each in draws:
        if wanted(each):
            return each
    raise UsageError(
        f"None of {_MOST_DRAWS} recipes drawn was a new one of the kind asked "
        "for. Ask for fewer, or for more nodes."
    )
