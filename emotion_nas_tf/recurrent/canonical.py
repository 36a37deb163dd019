"""One form for all recipes that differ only in names and in order.

Colour refinement: nodes start with a colour each operation (and each new
state), and are told apart by the colours they read and are read by until
nothing changes. What is still alike is tried in every way, and the least text
wins; ways that are mirror images of one another are tried once.

The states h_new_1, h_new_2 keep their numbers. Pure Python: no TensorFlow.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from emotion_nas_tf.recurrent.names import new_state

# (name, operation, inputs)
Term = tuple[str, str, tuple[str, ...]]

_ORDERED = ("blend",)


def rename(terms: Sequence[Term]) -> tuple[Term, ...]:
    """The canonical form of a recipe, in topological order.

    Args:
      terms: nodes, each after those it reads.
    """
    graph = _Graph(terms)
    return min(graph.forms(graph.refine(graph.start)))


def hash_terms(terms: Sequence[Term]) -> str:
    """SHA-256 of the canonical form, in hex."""
    text = json.dumps(rename(terms), separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


class _Graph:
    """The nodes, and what reads what. Colours map names to ranks from 0."""

    def __init__(self, terms: Sequence[Term]):
        self.terms = {term[0]: term for term in terms}
        self.readers: dict[str, list[tuple[str, int]]] = {
            name: [] for name in self.terms
        }
        for name, op, inputs in terms:
            for place, source in enumerate(inputs):
                if source in self.terms:
                    # Where in a sum it is read means nothing.
                    where = place if op in _ORDERED else 0
                    self.readers[source].append((name, where))
        self.start = _ranks(
            {
                name: (op, "" if new_state(name) is None else name)
                for name, op, _ in terms
            }
        )

    def refine(self, colours: Mapping[str, int]) -> dict[str, int]:
        """Tells nodes apart by their neighbours until nothing changes."""
        while True:
            finer = _ranks(
                {name: self._signature(name, colours) for name in self.terms}
            )
            if len(set(finer.values())) == len(set(colours.values())):
                return finer
            colours = finer

    def forms(self, colours: Mapping[str, int]) -> list[tuple[Term, ...]]:
        """The forms that this colouring leaves open."""
        alike = _first_alike(colours)
        if not alike:
            return [self._form(colours)]
        forms, seen = [], set()
        for name in alike:
            chosen = self.refine(_single_out(colours, name))
            # The same first form: a mirror image of what was tried.
            first = self._first_form(chosen)
            if first not in seen:
                seen.add(first)
                forms += self.forms(chosen)
        return forms

    def _first_form(self, colours: Mapping[str, int]) -> tuple[Term, ...]:
        while alike := _first_alike(colours):
            colours = self.refine(_single_out(colours, alike[0]))
        return self._form(colours)

    def _signature(self, name: str, colours: Mapping[str, int]) -> tuple:
        _, op, inputs = self.terms[name]
        # Inputs of the recipe are told apart by name, nodes by colour.
        read = [
            (1, colours[each], "") if each in colours else (0, 0, each)
            for each in inputs
        ]
        return (
            colours[name],
            tuple(read if op in _ORDERED else sorted(read)),
            tuple(sorted((colours[n], w) for n, w in self.readers[name])),
        )

    def _form(self, colours: Mapping[str, int]) -> tuple[Term, ...]:
        """Names all nodes, given a colour each."""
        names: dict[str, str] = {}
        done: list[Term] = []
        left = sorted(self.terms, key=colours.__getitem__)
        while left:
            # The least that has all it reads: unique, for colours are.
            name = next(
                each
                for each in left
                if all(
                    source in names or source not in self.terms
                    for source in self.terms[each][2]
                )
            )
            left.remove(name)
            _, op, inputs = self.terms[name]
            read = [names.get(each, each) for each in inputs]
            if op not in _ORDERED:
                read.sort()
            names[name] = (
                name
                if new_state(name) is not None
                # Nodes in digits of one length sort as numbers do.
                else f"node_{len(done):03d}"
            )
            done.append((names[name], op, tuple(read)))
        return tuple(done)


def _ranks(signatures: Mapping[str, tuple]) -> dict[str, int]:
    order = {each: i for i, each in enumerate(sorted(set(signatures.values())))}
    return {name: order[each] for name, each in signatures.items()}


def _first_alike(colours: Mapping[str, int]) -> list[str]:
    """The nodes of the first colour that several have."""
    members: dict[int, list[str]] = {}
    for name, colour in colours.items():
        members.setdefault(colour, []).append(name)
    return next(
        (members[c] for c in sorted(members) if len(members[c]) > 1), []
    )


def _single_out(colours: Mapping[str, int], name: str) -> dict[str, int]:
    """Gives one node a colour of its own, before those like it."""
    return {
        each: 2 * colour - (each == name) for each, colour in colours.items()
    }
