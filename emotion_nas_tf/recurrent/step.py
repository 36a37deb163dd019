"""One time step of a recipe, forwards and backwards, on tensors.

Written once for all recipes: what is called from here runs inside the loop
over time of `time_loop`, and alone in `RecipeCell`.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from emotion_nas_tf.recurrent.nodes import LEAKY_RELU_SLOPE, LINEAR, Node
from emotion_nas_tf.recurrent.plan import Plan

# Name of a node, state or product -> its value.
Values = dict[str, tf.Tensor]


def cut(matrix: tf.Tensor, names: Sequence, axis: int = -1) -> dict:
    """Equal parts of a tensor, by name."""
    if not names:
        return {}
    parts = tf.split(matrix, len(names), axis)
    return dict(zip(names, parts, strict=True))


def join(parts: Sequence[tf.Tensor], axis: int = -1) -> tf.Tensor:
    """The inverse of `cut`."""
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis)


def product_matrices(plan: Plan, hidden_kernel: tf.Tensor) -> list[tf.Tensor]:
    """The matrix of each of the plan's products.

    Args:
      plan: of the recipe.
      hidden_kernel: (h, b * h), in the order of `plan.hidden`.
    """
    blocks = cut(hidden_kernel, plan.hidden)
    return [
        join(
            [
                join([blocks[target, source] for target in product.targets])
                for source in product.sources
            ],
            axis=0,
        )
        for product in plan.products
    ]


def forward(
    plan: Plan,
    from_input: Values,
    biases: Values,
    matrices: Sequence[tf.Tensor],
    states: Sequence[tf.Tensor],
) -> Values:
    """Every value of a step.

    Args:
      plan: of the recipe.
      from_input: for each linear node that reads x, (batch, h): its product
        with x, bias included.
      biases: (h,) of the other linear nodes.
      matrices: from `product_matrices`.
      states: `h_prev_0` ..., (batch, h) each.
    """
    values = dict(zip(plan.previous, states, strict=True))
    sums = dict(from_input)
    matrices = iter(matrices)
    for each in plan.rounds:
        for node in each.nodes:
            if node.op == LINEAR:
                values[node.name] = sums[node.name] + biases.get(node.name, 0)
            else:
                values[node.name] = _operate(node, values)
        for product in each.products:
            joined = join([values[name] for name in product.sources])
            results = cut(tf.matmul(joined, next(matrices)), product.targets)
            for name, result in results.items():
                sums[name] = sums[name] + result if name in sums else result
    return values


def recompute(plan: Plan, kept: Values, states: Sequence[tf.Tensor]) -> Values:
    """The values of a step again, without its matrix products.

    Args:
      plan: of the recipe.
      kept: the values of `plan.kept`.
      states: `h_prev_0` ..., (batch, h) each.

    Returns:
      All values but those of linear nodes that only an activation reads.
    """
    values = dict(zip(plan.previous, states, strict=True)) | kept
    for node in plan.nodes:
        if node.op != LINEAR and node.name not in values:
            values[node.name] = _operate(node, values)
    return values


def backward(
    plan: Plan,
    values: Values,
    transposed: Sequence[tf.Tensor],
    gradients: Sequence[tf.Tensor],
) -> tuple[Values, list[tf.Tensor]]:
    """Gradients through a step.

    Args:
      plan: of the recipe.
      values: from `recompute`.
      transposed: the matrices of `product_matrices`, transposed.
      gradients: of `h_new_0` ..., (batch, h) each.

    Returns:
      Gradients of the linear nodes, by name, and of `h_prev_0` ....
    """
    found: Values = dict(zip(plan.states, gradients, strict=True))

    def add(name: str, gradient: tf.Tensor) -> None:
        found[name] = found[name] + gradient if name in found else gradient

    left = list(zip(plan.products, transposed, strict=True))
    for each in reversed(plan.rounds):
        for _ in each.products:
            product, matrix = left.pop()
            joined = join([found[name] for name in product.targets])
            results = cut(tf.matmul(joined, matrix), product.sources)
            for name, result in results.items():
                add(name, result)
        for node in reversed(each.nodes):
            if node.op != LINEAR:
                _differentiate(node, values, found[node.name], add)
    linears = {name: found[name] for name in plan.linears}
    return linears, [found[name] for name in plan.previous]


def _operate(node: Node, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
    inputs = [values[name] for name in node.inputs]
    match node.op:
        case "activation_tanh":
            return tf.tanh(*inputs)
        case "activation_sigm":
            return tf.sigmoid(*inputs)
        case "activation_leaky_relu":
            return tf.nn.leaky_relu(*inputs, alpha=LEAKY_RELU_SLOPE)
        case "elementwise_prod":
            return inputs[0] * inputs[1]
        case "elementwise_sum":
            return inputs[0] + inputs[1]
        case "blend":
            a, b, c = inputs
            return a * b + (1 - a) * c
    raise ValueError(f"no such operation: {node.op}")


def _differentiate(node: Node, values: Values, gradient: tf.Tensor, add):
    """Adds what an element-wise node hands back to each of its inputs.

    Activations are differentiated by their results: the inputs are not kept.
    """
    first, *others = node.inputs
    match node.op:
        case "activation_tanh":
            add(first, gradient * (1 - values[node.name] ** 2))
        case "activation_sigm":
            result = values[node.name]
            add(first, gradient * result * (1 - result))
        case "activation_leaky_relu":
            slope = gradient * LEAKY_RELU_SLOPE
            add(first, tf.where(values[node.name] > 0, gradient, slope))
        case "elementwise_prod":
            add(first, gradient * values[others[0]])
            add(others[0], gradient * values[first])
        case "elementwise_sum":
            add(first, gradient)
            add(others[0], gradient)
        case "blend":
            a, b, c = (values[name] for name in node.inputs)
            add(first, gradient * (b - c))
            add(others[0], gradient * a)
            add(others[1], gradient * (1 - a))
