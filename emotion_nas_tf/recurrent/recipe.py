"""Recipes: recurrent cells as graphs of named operations.

    x --------+
              +-- linear -- tanh -- h_new_0 (the output)
    h_prev_0 -+

A recipe maps each node to an operation and its inputs, which are `x`, the
hidden states `h_prev_0` ... of the step before, or other nodes. The nodes
`h_new_0` ... are the states handed on; another node of the same step may read
them. The space is that of NAS-Bench-NLP (Klyuchnikov et al. 2020), which the
paper uses (sections 2.2 and 3.3). Pure Python: no TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emotion_nas_tf.recurrent.canonical import Term, hash_terms, rename
from emotion_nas_tf.recurrent.names import INPUT, OUTPUT, previous_state
from emotion_nas_tf.recurrent.nodes import BLEND, LINEAR, Node
from emotion_nas_tf.recurrent.recipe_rules import (
    check_node,
    check_use,
    count_states,
    sort_nodes,
)
from tfrecords_builder.errors import UsageError

# The paper's word for what the benchmark's files call `blend`.
_ALIASES = {"blending": BLEND}


@dataclass(frozen=True)
class LayerSize:
    """What decides the number of weights of one layer.

    Attributes:
      input_products: a, matrices that multiply x.
      hidden_products: b, matrices that multiply anything else.
      linears: n, linear nodes, hence biases.
    """

    input_products: int
    hidden_products: int
    linears: int

    def parameters(self, input_size: int, hidden_size: int) -> int:
        """Weights of a layer: a * d * h + b * h * h + n * h."""
        return hidden_size * (
            self.input_products * input_size
            + self.hidden_products * hidden_size
            + self.linears
        )


@dataclass(frozen=True)
class Recipe:
    """A valid recipe.

    Attributes:
      nodes: each after those it reads; given in any order.

    Raises:
      UsageError: on an unknown operation or input, a wrong number of inputs,
        x read by anything but a linear node, a circle, an unused input, a
        node that no new state needs, or states that are not numbered from 0.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        nodes = {node.name: node for node in self.nodes}
        if len(nodes) != len(self.nodes):
            raise UsageError("Recipe: two nodes have the same name.")
        states = count_states(nodes)
        for node in self.nodes:
            check_node(node, nodes, states)
        object.__setattr__(self, "nodes", sort_nodes(nodes))
        check_use(nodes, states)

    @classmethod
    def from_mapping(cls, mapping: Any) -> "Recipe":
        """A recipe as files have it: {name: {"op": ..., "input": [...]}}.

        Raises:
          UsageError: when it has another form, or `Recipe` refuses it.
        """
        if not isinstance(mapping, Mapping) or not mapping:
            raise UsageError(
                "Recipe: expected an object that maps each node to its op and "
                f"input. Received: {_short(mapping)}"
            )
        nodes = []
        for name, fields in mapping.items():
            inputs = fields.get("input") if isinstance(fields, Mapping) else 0
            if (
                not isinstance(inputs, list | tuple)
                or not all(isinstance(each, str) for each in inputs)
                or not isinstance(fields.get("op"), str)
            ):
                raise UsageError(
                    f'Recipe.{name}: a node is {{"op": name, "input": [names]'
                    f"}}. Received: {_short(fields)}"
                )
            op = _ALIASES.get(fields["op"], fields["op"])
            nodes.append(Node(name, op, tuple(inputs)))
        return cls(tuple(nodes))

    def to_mapping(self) -> dict[str, dict[str, Any]]:
        """The inverse of `from_mapping`."""
        return {
            node.name: {"op": node.op, "input": list(node.inputs)}
            for node in self.nodes
        }

    @cached_property
    def num_states(self) -> int:
        """Hidden states."""
        return count_states(node.name for node in self.nodes)

    @cached_property
    def size(self) -> LayerSize:
        """What decides the number of weights."""
        linears = [node for node in self.nodes if node.op == LINEAR]
        read = [name for node in linears for name in node.inputs]
        return LayerSize(
            read.count(INPUT), len(read) - read.count(INPUT), len(linears)
        )

    @cached_property
    def digest(self) -> str:
        """Hash of the cell, whatever its nodes are called; 64 hex digits."""
        return hash_terms(self._terms())

    def canonical(self) -> "Recipe":
        """The same cell with its nodes named and ordered by the rules.

        Inputs whose order means nothing are sorted; those of `blend` are not.
        Two recipes are the same cell exactly if these are equal.
        """
        return Recipe(tuple(Node(*term) for term in rename(self._terms())))

    def unreached(self) -> tuple[str, ...]:
        """New states, and x, that never reach the output, at any later step.

        Weights behind such a state do not train.
        """
        nodes = {node.name: node for node in self.nodes}
        reached, waiting = set(), [OUTPUT]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                state = previous_state(name)
                if state is not None:
                    waiting.append(f"h_new_{state}")
                elif name != INPUT:
                    waiting += nodes[name].inputs
        ends = [INPUT, *(f"h_new_{k}" for k in range(self.num_states))]
        return tuple(name for name in ends if name not in reached)

    def warnings(self) -> tuple[str, ...]:
        """What is legal and probably not meant, a sentence each."""
        return tuple(
            f"{name} never reaches the output {OUTPUT}: weights behind it do "
            "not train."
            if name != INPUT
            else f"x never reaches the output {OUTPUT}: the output does not "
            "depend on the input."
            for name in self.unreached()
        )

    def _terms(self) -> tuple[Term, ...]:
        return tuple((n.name, n.op, n.inputs) for n in self.nodes)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
