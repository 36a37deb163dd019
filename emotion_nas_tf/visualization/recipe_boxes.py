"""The boxes of a recipe's drawing: what each says, reads and measures.

Pure Python; `recipe_graph` draws them.
"""

from dataclasses import dataclass

from emotion_nas_tf.recurrent.names import (
    INPUT,
    OUTPUT,
    new_state,
    previous_state,
)
from emotion_nas_tf.recurrent.nodes import ACTIVATIONS, BLEND, LINEAR
from emotion_nas_tf.recurrent.recipe import Recipe

# What a box says, what the legend adds, the colour: hues of Okabe and Ito.
OPERATION_STYLES = {
    "linear": ("linear", "matrices and a bias", "#0072B2"),
    "activation_sigm": ("sigmoid", "", "#F0A860"),
    "activation_tanh": ("tanh", "", "#D55E00"),
    "activation_leaky_relu": ("leaky ReLU", "", "#CC79A7"),
    "blend": ("blend", "$a\\,b + (1 - a)\\,c$", "#00805C"),
    "elementwise_prod": ("\N{MULTIPLICATION SIGN}", "product", "#7CCBA2"),
    "elementwise_sum": ("+", "sum", "#B5B5B5"),
}
_OTHER_COLOUR = "#E3E3E3"

# Units of the drawing.
OPERATION_HEIGHT, _WIDE, _NARROW = 0.52, 1.95, 0.85
PORTS_HEIGHT = 0.34
_END_WIDTH, _END_HEIGHT = 2.05, 0.92


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
      name: of the node whose value leaves it.
      ops: from top to bottom.
      inputs: what it reads, in its order.
    """

    name: str
    ops: tuple[str, ...]
    inputs: tuple[str, ...]

    @property
    def is_blend(self) -> bool:
        """Whether the order of its inputs matters."""
        return self.ops == (BLEND,)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        if not self.ops:
            return _END_WIDTH, _END_HEIGHT
        is_short = len(operation_style(self.ops[0])[0]) == 1
        height = OPERATION_HEIGHT * len(self.ops)
        if self.is_blend:
            height += PORTS_HEIGHT
        return _NARROW if is_short else _WIDE, height


def recipe_boxes(recipe: Recipe) -> dict[str, Box]:
    """By name: inputs, operations, and `name'` for each state handed on."""
    readers: dict[str, list] = {}
    for node in recipe.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    states = range(recipe.num_states)
    starts = [INPUT, *(f"h_prev_{k}" for k in states)]
    boxes = {name: Box(name, (), ()) for name in starts}
    joined = {
        node.name: readers[node.name][0].name
        for node in recipe.nodes
        if node.op == LINEAR
        and new_state(node.name) is None
        and len(readers[node.name]) == 1
        and readers[node.name][0].op in ACTIVATIONS
    }
    linears = {into: name for name, into in joined.items()}
    nodes = {node.name: node for node in recipe.nodes}
    for node in recipe.nodes:
        if node.name in joined:
            continue
        ops, inputs = (node.op,), node.inputs
        if node.name in linears:
            ops = (LINEAR, node.op)
            inputs = nodes[linears[node.name]].inputs
        boxes[node.name] = Box(node.name, ops, inputs)
    for state in states:
        name = f"h_new_{state}"
        boxes[end_name(name)] = Box(end_name(name), (), (name,))
    return boxes


def end_name(name: str) -> str:
    """The box of a state that is handed on, apart from its operation's."""
    return f"{name}'"


def end_text(name: str) -> tuple[str, str]:
    """The paper's symbol, and the name that recipe files have."""
    if name == INPUT:
        return "$x_t$", "input"
    state = previous_state(name)
    if state is not None:
        return f"$h_{{t-1}}^{{{state + 1}}}$", name
    plain = name.removesuffix("'")
    note = f"{plain}, output" if plain == OUTPUT else plain
    return f"$h_t^{{{new_state(plain) + 1}}}$", note


def operation_style(op: str) -> tuple[str, str, str]:
    """What a box says, what the legend adds, and the colour."""
    return OPERATION_STYLES.get(op, (op, "", _OTHER_COLOUR))


def recipe_lines(recipe: Recipe) -> str:
    """The recipe for reading, a node a line: `name = op(input, ...)`."""
    return "\n".join(
        f"{node.name} = {node.op}({', '.join(node.inputs)})"
        for node in recipe.nodes
    )
