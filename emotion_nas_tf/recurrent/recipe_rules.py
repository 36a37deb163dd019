"""What makes a recipe a recurrent cell. Pure Python: no TensorFlow."""

from collections.abc import Iterable, Mapping

from emotion_nas_tf.recurrent.names import INPUT, new_state, previous_state
from emotion_nas_tf.recurrent.nodes import LINEAR, OPERATIONS, Node
from tfrecords_builder.errors import UsageError


def count_states(names: Iterable[str]) -> int:
    """Hidden states, by the names of the nodes.

    Raises:
      UsageError: when they are not numbered from 0 without a gap.
    """
    states = (new_state(name) for name in names)
    numbers = sorted(state for state in states if state is not None)
    if not numbers or numbers != list(range(len(numbers))):
        found = ", ".join(f"h_new_{k}" for k in numbers) or "none"
        raise UsageError(
            "Recipe: the new states must be h_new_0, h_new_1, ... without a "
            f"gap. Received: {found}."
        )
    return len(numbers)


def check_node(node: Node, nodes: Mapping[str, Node], states: int) -> None:
    """Refuses a node that cannot be computed.

    Args:
      node: which.
      nodes: all, by name.
      states: hidden states of the step before that may be read.

    Raises:
      UsageError: on an unknown operation or input, a wrong number of inputs,
        or x read by anything but a linear node.
    """
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


def sort_nodes(nodes: Mapping[str, Node]) -> tuple[Node, ...]:
    """Topological order; as given where that is one.

    Raises:
      UsageError: when nodes read each other in a circle.
    """
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


def check_use(nodes: Mapping[str, Node], states: int) -> None:
    """Refuses what no new state depends on.

    Raises:
      UsageError: on an unused input, or a node that is not needed.
    """
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
