"""Small changes to a recipe that leave it a recipe.

    change_operation   another activation; a sum for a product; a sum or
                       product of two of a blend's three inputs; one matrix
                       less of a linear node
    rewire             an input of a node becomes another one
    add_node           a node between another and what it reads, or a further
                       matrix of a linear node
    remove_node        who read a node reads one of its inputs instead

What no new state needs afterwards is dropped. A change is kept when `Recipe`
accepts it, the output still depends on x, and the cell is another one. Pure
Python: no TensorFlow.
"""

import random
from collections.abc import Callable, Collection

from emotion_nas_tf.recurrent.generator import prune
from emotion_nas_tf.recurrent.names import INPUT, new_state
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

# The names of nodes that are added begin so; canonical recipes have none.
_ADDED = "added"
_MOST_DRAWS = 1_000

Nodes = list[Node]


def mutate(recipe: Recipe, seed: str | int, known: Collection[str]) -> Recipe:
    """A cell one change away from `recipe`.

    Args:
      recipe: what is changed; two names of the same cell mutate alike.
      seed: of the change: the same in any process.
      known: digests of cells that are not wanted.

    Raises:
      UsageError: when a thousand changes made nothing new.
    """
    parent = recipe.canonical()
    # Python seeds itself with a text's SHA-512: the same in every process.
    generator = random.Random(f"{parent.digest} {seed}")
    for _ in range(_MOST_DRAWS):
        change = generator.choice(CHANGES)
        child = accepted(change(list(parent.nodes), generator))
        if child and child.digest not in (parent.digest, *known):
            return child
    raise UsageError(
        f"None of {_MOST_DRAWS} changes to a recipe of {len(parent.nodes)} "
        "nodes made a new cell. Ask for fewer mutations."
    )


def change_operation(nodes: Nodes, generator: random.Random) -> Nodes:
    """Another operation on what a node reads."""
    at = generator.randrange(len(nodes))
    node = nodes[at]
    inputs = node.inputs
    if node.op in ACTIVATIONS:
        op = generator.choice(ACTIVATIONS)
    elif node.op in (PRODUCT, SUM):
        op = SUM if node.op == PRODUCT else PRODUCT
    elif node.op == BLEND:
        op = generator.choice((PRODUCT, SUM))
        inputs = tuple(generator.sample(inputs, 2))
    else:
        op = LINEAR
        less = generator.choice(inputs)
        inputs = tuple(each for each in inputs if each != less)
    nodes[at] = Node(node.name, op, inputs)
    return nodes


def rewire(nodes: Nodes, generator: random.Random) -> Nodes:
    """Another source for one of a node's inputs."""
    at = generator.randrange(len(nodes))
    node = nodes[at]
    inputs = list(node.inputs)
    inputs[generator.randrange(len(inputs))] = generator.choice(
        _readable(nodes, at)
    )
    nodes[at] = Node(node.name, node.op, tuple(inputs))
    return nodes


def add_node(nodes: Nodes, generator: random.Random) -> Nodes:
    """A node on an edge, or a further input of a linear node."""
    at = generator.randrange(len(nodes))
    node = nodes[at]
    sources = _readable(nodes, at)
    op = generator.choice((LINEAR, BLEND, PRODUCT, SUM, *ACTIVATIONS))
    if op == LINEAR and node.op == LINEAR:
        more = (*node.inputs, generator.choice(sources))
        nodes[at] = Node(node.name, LINEAR, more)
        return nodes
    place = generator.randrange(len(node.inputs))
    read = [node.inputs[place]]
    further = {BLEND: 2, PRODUCT: 1, SUM: 1, LINEAR: 1}.get(op, 0)
    read += [generator.choice(sources) for _ in range(further)]
    generator.shuffle(read)
    added = [Node(_ADDED, op, tuple(read))]
    if op == LINEAR:
        # As the generator has it, an activation follows.
        activation = generator.choice(ACTIVATIONS)
        added.append(Node(f"{_ADDED}_activation", activation, (_ADDED,)))
    inputs = list(node.inputs)
    inputs[place] = added[-1].name
    nodes[at] = Node(node.name, node.op, tuple(inputs))
    return [*nodes[:at], *added, *nodes[at:]]


def remove_node(nodes: Nodes, generator: random.Random) -> Nodes:
    """A node goes; its readers read one of its inputs."""
    inner = [node for node in nodes if new_state(node.name) is None]
    if not inner:
        return nodes
    gone = generator.choice(inner)
    heir = generator.choice(gone.inputs)
    return [
        Node(
            node.name,
            node.op,
            tuple(heir if each == gone.name else each for each in node.inputs),
        )
        for node in nodes
        if node is not gone
    ]


CHANGES: tuple[Callable[[Nodes, random.Random], Nodes], ...] = (
    change_operation,
    rewire,
    add_node,
    remove_node,
)


def _readable(nodes: Nodes, at: int) -> list[str]:
    """What node `at` may read: x, hidden states, and the nodes before it."""
    states = sum(new_state(node.name) is not None for node in nodes)
    names = [node.name for node in nodes[:at]]
    names += [f"h_prev_{k}" for k in range(states)]
    return [INPUT, *names] if nodes[at].op == LINEAR else names


def accepted(nodes: Nodes) -> Recipe | None:
    """The recipe of changed nodes, or None when they are none."""
    states = sum(new_state(node.name) is not None for node in nodes)
    try:
        recipe = Recipe(prune(nodes, states))
    except UsageError:
        return None
    return None if INPUT in recipe.unreached() else recipe
