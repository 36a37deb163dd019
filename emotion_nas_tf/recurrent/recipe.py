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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emotion_nas_tf.recurrent.canonical import Term, hash_terms, rename
from emotion_nas_tf.recurrent.names import (
    INPUT,
    OUTPUT,
    new_state,
    previous_state,
)
from tfrecords_builder.errors import UsageError

LINEAR = "linear"
BLEND = "blend"
PRODUCT = "elementwise_prod"
SUM = "elementwise_sum"
ACTIVATIONS = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
LEAKY_RELU_SLOPE = 0.01

# The inputs that an operation takes: fewest, most (None: as many as you like).
OPERATIONS: dict[str, tuple[int, int | None]] = {
    LINEAR: (1, None),
    BLEND: (3, 3),
    PRODUCT: (2, 2),
    SUM: (2, 2),
    **dict.fromkeys(ACTIVATIONS, (1, 1)),
}
# The paper's word for what the benchmark's files call `blend`.
_ALIASES = {"blending": BLEND}


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
      name: by which other nodes read it.
      op: a key of `OPERATIONS`.
      inputs: what it reads. `linear` is a matrix for each input and one bias;
        `blend(a, b, c)` is a * b + (1 - a) * c, a as it is.
    """

    name: str
    op: str
    inputs: tuple[str, ...]


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
        states = _count_states(nodes)
        for node in self.nodes:
            _check_node(node, nodes, states)
        object.__setattr__(self, "nodes", _sorted(nodes))
        _check_use(nodes, states)

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
        return _count_states(node.name for node in self.nodes)

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


def _count_states(names: Iterable[str]) -> int:
    states = (new_state(name) for name in names)
    numbers = sorted(state for state in states if state is not None)
    if not numbers or numbers != list(range(len(numbers))):
        found = ", ".join(f"h_new_{k}" for k in numbers) or "none"
        raise UsageError(
            "Recipe: the new states must be h_new_0, h_new_1, ... without a "
            f"gap. Received: {found}."
        )
    return len(numbers)


def _check_node(node: Node, nodes: Mapping[str, Node], states: int) -> None:
    where = f"Recipe.{node.name}"
    if node.name == INPUT or previous_state(node.name) is not None:
        raise UsageError(
            f"{where}: this is the name of an input; a node needs another."
        )
    if node.op not in OPERATIONS:
        raise UsageError(
            f"{where}: unknown operation {node.op!r}; known are "
            f"{', '.join(OPERATIONS)}."
        )
    fewest, most = OPERATIONS[node.op]
    if len(node.inputs) < fewest or (most and len(node.inputs) > most):
        wanted = str(fewest) if most else f"at least {fewest}"
        raise UsageError(
            f"{where}: {node.op} takes {wanted} input"
            f"{'s' if fewest > 1 else ''}. Received: {list(node.inputs)}"
        )
    known = {INPUT, *(f"h_prev_{k}" for k in range(states))}
    for name in node.inputs:
        if name not in known and name not in nodes:
            raise UsageError(
                f"{where}: reads {name!r}, which is neither a node nor one of "
                f"{', '.join(sorted(known, reverse=True))}."
            )
        if name == INPUT and node.op != LINEAR:
            raise UsageError(
                f"{where}: {node.op} reads x, which has the input's size; "
                "only a linear node may read it."
            )
    if node.op == LINEAR and len(set(node.inputs)) < len(node.inputs):
        raise UsageError(
            f"{where}: a linear node reads an input once, for two matrices "
            f"would act as one. Received: {list(node.inputs)}"
        )


def _sorted(nodes: Mapping[str, Node]) -> tuple[Node, ...]:
    """Topological order; as given where that is one."""
    done: dict[str, Node] = {}
    for start in nodes:
        path = [start]
        while path:
            waiting = [
                name
                for name in nodes[path[-1]].inputs
                if name in nodes and name not in done
            ]
            if not waiting:
                done.setdefault(path[-1], nodes[path[-1]])
                path.pop()
            elif waiting[0] in path:
                circle = [*path[path.index(waiting[0]) :], waiting[0]]
                raise UsageError(
                    "Recipe: nodes read each other in a circle, so none can "
                    f"come first: {' reads '.join(circle)}."
                )
            else:
                path.append(waiting[0])
    return tuple(done.values())


def _check_use(nodes: Mapping[str, Node], states: int) -> None:
    used, waiting = set(), [f"h_new_{k}" for k in range(states)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += nodes[name].inputs if name in nodes else ()
    inputs = [INPUT, *(f"h_prev_{k}" for k in range(states))]
    missing = [name for name in inputs if name not in used]
    if missing:
        raise UsageError(
            f"Recipe: {', '.join(missing)} is not used by any new state; a "
            "cell reads x and every hidden state."
        )
    idle = [name for name in nodes if name not in used]
    if idle:
        raise UsageError(
            f"Recipe: no new state needs {', '.join(idle)}; remove the node "
            "or read it."
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
