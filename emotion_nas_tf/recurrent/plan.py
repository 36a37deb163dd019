"""In which order, and in how few matrix products, a recipe is computed.

A step is a row of rounds. A round evaluates every node it can, and then forms
the products of what has become known with the matrices that wait for it. The
matrices of linear nodes that read the same things lie side by side, so that
the four gates of an LSTM are one product. Products with x are formed before
the loop over time, for the whole sequence at once.

Pure Python: no TensorFlow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from emotion_nas_tf.recurrent.names import (
    INPUT,
    new_state,
)
from emotion_nas_tf.recurrent.nodes import ACTIVATIONS, LINEAR, Node
from emotion_nas_tf.recurrent.recipe import Recipe


@dataclass(frozen=True)
class Product:
    """One matrix product: all `sources` with the matrices of all `targets`.

    Attributes:
      sources: names, side by side.
      targets: linear nodes, each of which reads every source.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def blocks(self) -> tuple[tuple[str, str], ...]:
        """(target, source) of each matrix; a row of targets a source."""
        return tuple((t, s) for s in self.sources for t in self.targets)


@dataclass(frozen=True)
class Round:
    """What is evaluated together, then multiplied together."""

    nodes: tuple[Node, ...]
    products: tuple[Product, ...]


@dataclass(frozen=True)
class Plan:
    """How a recipe is computed.

    Attributes:
      num_states: hidden states.
      linears: linear nodes, in the recipe's order: that of the biases.
      inputs: those that read x: the order of the matrices of x.
      hidden: (node, source) of every other matrix, in their order.
      rounds: of a step.
      kept: the values a step keeps for the backward pass. All others follow
        from them and the states of the step before by element-wise operations.
    """

    num_states: int
    linears: tuple[str, ...]
    inputs: tuple[str, ...]
    hidden: tuple[tuple[str, str], ...]
    rounds: tuple[Round, ...]
    kept: tuple[str, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the new states."""
        return tuple(f"h_new_{k}" for k in range(self.num_states))

    @property
    def previous(self) -> tuple[str, ...]:
        """Names of the states of the step before."""
        return tuple(f"h_prev_{k}" for k in range(self.num_states))

    @property
    def products(self) -> tuple[Product, ...]:
        """Of a step, in order."""
        return tuple(p for each in self.rounds for p in each.products)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Of a step, in the order in which they are evaluated."""
        return tuple(node for each in self.rounds for node in each.nodes)


@lru_cache(maxsize=1024)
def make_plan(recipe: Recipe) -> Plan:
    """The plan of a recipe."""
    linears = [node for node in recipe.nodes if node.op == LINEAR]
    return Plan(
        num_states=recipe.num_states,
        linears=tuple(node.name for node in linears),
        inputs=tuple(node.name for node in linears if INPUT in node.inputs),
        hidden=tuple(
            (node.name, source)
            for node in linears
            for source in node.inputs
            if source != INPUT
        ),
        rounds=_rounds(recipe),
        kept=_kept(recipe),
    )


def _rounds(recipe: Recipe) -> tuple[Round, ...]:
    readers: dict[str, list[str]] = {}
    for node in recipe.nodes:
        if node.op == LINEAR:
            for source in node.inputs:
                readers.setdefault(source, []).append(node.name)
    readers.pop(INPUT)
    known = {f"h_prev_{k}" for k in range(recipe.num_states)}
    multiplied = {INPUT}
    left = list(recipe.nodes)
    rounds = []
    while left:
        nodes = []
        for node in left:
            ready = multiplied if node.op == LINEAR else known
            if ready.issuperset(node.inputs):
                nodes.append(node)
                known.add(node.name)
        left = [node for node in left if node not in nodes]
        sources = [s for s in readers if s in known and s not in multiplied]
        multiplied.update(sources)
        pairs = [(s, t) for s in sources for t in readers[s]]
        rounds.append(Round(tuple(nodes), _products(pairs)))
    return tuple(rounds)


def _products(pairs: list[tuple[str, str]]) -> tuple[Product, ...]:
    """Few products that cover the pairs (source, target), and no others."""
    by_source = [
        Product(sources, targets)
        for targets, sources in _grouped(pairs).items()
    ]
    by_target = [
        Product(sources, targets)
        for sources, targets in _grouped((t, s) for s, t in pairs).items()
    ]
    return tuple(min(by_source, by_target, key=len))


def _grouped(
    pairs: Iterable[tuple[str, str]],
) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Which firsts share the very same seconds: {seconds: firsts}."""
    seconds: dict[str, tuple[str, ...]] = {}
    for first, second in pairs:
        seconds[first] = (*seconds.get(first, ()), second)
    groups: dict[tuple[str, ...], tuple[str, ...]] = {}
    for first, each in seconds.items():
        groups[each] = (*groups.get(each, ()), first)
    return groups


def _kept(recipe: Recipe) -> tuple[str, ...]:
    """For each linear node itself, or its activation where that is enough."""
    kept = []
    for node in recipe.nodes:
        if node.op != LINEAR:
            continue
        readers = [n for n in recipe.nodes if node.name in n.inputs]
        alone = (
            len(readers) == 1
            and readers[0].op in ACTIVATIONS
            and new_state(node.name) is None
        )
        kept.append(readers[0].name if alone else node.name)
    return tuple(kept)
