"""Sums come out in the same bits however the operations beside them are timed.

What one asks for holds for the rest of a process, so each test has its own.
"""

import subprocess
import sys

import pytest


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )


# The first two terms are read by others too, after the sum, or by none.
PROGRAM = """
import keras
import tensorflow as tf
from emotion_nas_tf.config import TrainConfig
from emotion_nas_tf.training.state import set_random_state

set_random_state(TrainConfig(deterministic={deterministic}))
starts = [tf.random.stateless_normal((1000,), (0, i)) for i in range(3)]

def gradient(*terms):
    x = tf.zeros_like(terms[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        ways = [tf.identity(x) for _ in terms]
    return tape.gradient(ways, x, terms)

sums = {{
    "plus": lambda x, y, z: x + y + z,
    "add_n": lambda *terms: tf.add_n(terms),
    "keras": lambda *terms: keras.layers.add(terms),
    "gradient": gradient,
}}
for name, add in sums.items():
    @tf.function(autograph=False)
    def step(starts, read):
        x, y, z = map(tf.sin, starts)
        total = add(x, y, z)
        if not read:
            return total, x[:0]
        # Not there before the sum is.
        most = tf.reduce_max(total)
        return total, tf.maximum(x, most) + tf.maximum(y, most)

    results = [step(starts, read)[0].numpy() for read in (False, True)]
    print(name, (results[0] == results[1]).all())
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_sum_does_not_depend_on_who_else_reads_its_terms(deterministic):
    process = run(PROGRAM.format(deterministic=deterministic))
    assert process.returncode == 0, process.stderr
    # Left to itself TensorFlow makes a difference: else this would show
    # nothing.
    assert process.stdout.split() == [
        *("plus", str(deterministic), "add_n", str(deterministic)),
        *("keras", str(deterministic), "gradient", str(deterministic)),
    ]


STEP = """
import tensorflow as tf
from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.networks.system import build_network
from emotion_nas_tf.training.gradients import Batch, differentiate
from emotion_nas_tf.training.state import set_random_state

set_random_state(SearchConfig(deterministic=True))
network = build_network(NetworkConfig(3, 2, 1), 4, input_shape=(12, 12))
variables = network.trainable_variables

@tf.function
def step(features, labels):
    found = differentiate(
        network, Batch(features, labels, tf.ones(4)), variables
    )
    return found.gradients

step = step.get_concrete_function(
    tf.TensorSpec((2, 12, 12, 1)), tf.TensorSpec((2,), tf.int32)
)
graph = step.graph.as_graph_def()
nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
print(len(nodes) > 1000, any(n.op == "AddN" for n in nodes))
print([n.name for n in nodes if n.op == "AddN" and n.attr["N"].i > 2])
"""


def test_no_sum_of_a_search_network_is_left_to_chance():
    process = run(STEP)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == ["True True", "[]"]
