"""Recurrent cells to be timed: ours, interpreters and the frameworks' LSTM.

An interpreter evaluates a recipe node by node and step by step, one matrix
product for each input of a linear node.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from emotion_nas_tf.recurrent.stack import RecurrentStack

try:
    import torch
except ImportError:
    torch = None

OURS = "ours"
INTERPRETERS = ("interpreter, PyTorch", "interpreter, TensorFlow")

# A name and what runs forward, and forward and backward, on (batch, frames, d)
Contestant = tuple[str, Callable, Callable]


def interpret(recipe, inputs, states, weights, ops):
    """One time step, node by node."""
    values = {"x": inputs, **states}
    for node in recipe.nodes:
        read = [values[name] for name in node.inputs]
        if node.op == "linear":
            matrices, bias = weights[node.name]
            total = bias
            for value, matrix in zip(read, matrices, strict=True):
                total = total + value @ matrix
            values[node.name] = total
        elif node.op == "blend":
            a, b, c = read
            values[node.name] = a * b + (1 - a) * c
        elif node.op == "elementwise_prod":
            values[node.name] = read[0] * read[1]
        elif node.op == "elementwise_sum":
            values[node.name] = read[0] + read[1]
        else:
            values[node.name] = ops[node.op](read[0])
    return [values[f"h_new_{k}"] for k in range(recipe.num_states)]


def make_weights(recipe, size, hidden, make):
    return {
        node.name: (
            [make(size if n == "x" else hidden, hidden) for n in node.inputs],
            make(hidden),
        )
        for node in recipe.nodes
        if node.op == "linear"
    }


def ours(recipe, size, hidden, layers) -> Contestant:
    stack = RecurrentStack(recipe, layers, hidden)
    stack.build((None, None, size))
    return (OURS, *tensorflow_passes(stack, stack.trainable_variables))


def keras_lstm(size, hidden, layers) -> Contestant:
    stack = keras.Sequential(
        [
            keras.layers.LSTM(hidden, return_sequences=True)
            for _ in range(layers)
        ]
    )
    stack.build((None, None, size))
    return (
        "keras.layers.LSTM",
        *tensorflow_passes(stack, stack.trainable_variables),
    )


def tensorflow_interpreter(recipe, size, hidden, layers) -> Contestant:
    bound = hidden**-0.5
    weights = [
        make_weights(
            recipe,
            d,
            hidden,
            lambda *shape: tf.Variable(tf.random.uniform(shape, -bound, bound)),
        )
        for d in [size] + [hidden] * (layers - 1)
    ]
    ops = {
        "activation_tanh": tf.tanh,
        "activation_sigm": tf.sigmoid,
        "activation_leaky_relu": lambda v: tf.nn.leaky_relu(v, 0.01),
    }
    names = [f"h_prev_{k}" for k in range(recipe.num_states)]

    def run(inputs):
        sequence = tf.transpose(inputs, (1, 0, 2))
        for layer in weights:
            start = [tf.zeros((inputs.shape[0], hidden)) for _ in names]
            sequence = tf.scan(
                lambda states, x, layer=layer: interpret(
                    recipe, x, dict(zip(names, states, strict=True)), layer, ops
                ),
                sequence,
                start,
            )[0]
        return sequence

    return (INTERPRETERS[1], *tensorflow_passes(run, tf.nest.flatten(weights)))


def tensorflow_passes(run, variables) -> tuple[Callable, Callable]:
    @tf.function(autograph=False)
    def forward(inputs):
        return tf.reduce_sum(run(inputs))

    @tf.function(autograph=False)
    def both(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(run(inputs))
        gradients = tape.gradient(loss, variables)
        return tf.add_n([tf.reduce_sum(g) for g in gradients])

    return (lambda x: forward(x).numpy()), (lambda x: both(x).numpy())


def torch_lstm(size, hidden, layers) -> Contestant:
    stack = torch.nn.LSTM(size, hidden, layers, batch_first=True)
    return (
        "torch.nn.LSTM",
        *torch_passes(lambda x: stack(x)[0], list(stack.parameters())),
    )


def torch_interpreter(recipe, size, hidden, layers) -> Contestant:
    bound = hidden**-0.5
    parameters = []

    def make(*shape):
        parameters.append(
            torch.empty(shape).uniform_(-bound, bound).requires_grad_()
        )
        return parameters[-1]

    weights = [
        make_weights(recipe, d, hidden, make)
        for d in [size] + [hidden] * (layers - 1)
    ]
    ops = {
        "activation_tanh": torch.tanh,
        "activation_sigm": torch.sigmoid,
        "activation_leaky_relu": torch.nn.functional.leaky_relu,
    }
    names = [f"h_prev_{k}" for k in range(recipe.num_states)]

    def run(inputs):
        sequence = torch.unbind(inputs, 1)
        for layer in weights:
            states = [torch.zeros(len(inputs), hidden) for _ in names]
            outputs = []
            for x in sequence:
                given = dict(zip(names, states, strict=True))
                states = interpret(recipe, x, given, layer, ops)
                outputs.append(states[0])
            sequence = outputs
        return torch.stack(sequence)

    return (INTERPRETERS[0], *torch_passes(run, parameters))


def torch_passes(run, parameters) -> tuple[Callable, Callable]:
    def forward(inputs):
        with torch.no_grad():
            return float(run(torch.from_numpy(inputs.numpy())).sum())

    def both(inputs):
        for parameter in parameters:
            parameter.grad = None
        run(torch.from_numpy(inputs.numpy())).sum().backward()
        return float(parameters[0].grad.sum())

    return forward, both
