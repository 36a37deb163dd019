"""Does the derived network's speed profit too? Clips a second.

    python -m benchmarks.derived [--genotype=CELLS.json] [--num_cells=3]
        [--num_channels=6] [--runs=9]

Training steps of 16 clips and inference of 1 and of 16, by this project's
layers, by a plain Keras layer an operation (`plain_derived.py`) and, where
PyTorch is installed, by a plain module an operation (`torch_derived.py`). All
have the same weights. First they are compared in output, gradients and running
statistics; then they take turns in one run. Medians; CPU seconds beside wall
time, because other work on the machine shows in the latter.
"""

import argparse
import functools
import importlib.util
import statistics
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.plain_derived import plain_network
from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.system import build_network
from emotion_nas_tf.search_space.genotype import Genotype, load_genotype
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.supervised_step import SupervisedTraining

SIZE, CLASSES, BATCH = 140, 4, 16
# Every operation at both strides where it has two.
ALL_OPERATIONS = Genotype(
    normal=(
        ("sep_conv_3x3", 1),
        ("skip_connect", 0),
        ("sep_conv_5x5", 0),
        ("dil_conv_3x3", 2),
        ("max_pool_3x3", 1),
        ("sep_conv_3x3", 3),
        ("avg_pool_3x3", 2),
        ("dil_conv_5x5", 0),
    ),
    normal_concat=(2, 3, 4, 5),
    reduce=(
        ("max_pool_3x3", 0),
        ("sep_conv_3x3", 1),
        ("sep_conv_5x5", 1),
        ("avg_pool_3x3", 0),
        ("dil_conv_3x3", 1),
        ("skip_connect", 2),
        ("dil_conv_5x5", 0),
        ("skip_connect", 1),
    ),
    reduce_concat=(2, 3, 4, 5),
)


def randomize(network, generator):
    """Weights as after some training: no scale is 1, no mean 0."""
    for variable in network.variables:
        shape = variable.shape
        if "variance" in variable.name or "gamma" in variable.name:
            variable.assign(generator.uniform(0.5, 1.5, shape))
        elif "mean" in variable.name or "beta" in variable.name:
            variable.assign(generator.normal(0, 0.1, shape))


class KerasWork:
    """What is timed: a training step and inference, as one graph each."""

    def __init__(self, network, x, y):
        self.network, self.x, self.y = network, x, y
        self.model = SupervisedTraining(network, [1.0] * CLASSES)
        optimizer = MomentumSGD(1e-4, global_clipnorm=5.0)
        optimizer.build(network.trainable_weights)
        self.model.compile(optimizer=optimizer, jit_compile=False)
        self.step = tf.function(self.model.train_step)
        self.forward = tf.function(lambda x: network(x, training=False))

    def backward(self):
        weights = self.network.trainable_weights
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(
                self.y, self.network(self.x, training=True), from_logits=True
            )
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        return float(tf.linalg.global_norm(gradients))

    def train(self):
        return {
            name: v.numpy() for name, v in self.step((self.x, self.y)).items()
        }

    def infer(self, batch):
        return self.forward(self.x[:batch]).numpy()


def torch_work(network, x, y):
    """The same in PyTorch; nothing where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: left out.")
        return {}
    from benchmarks.torch_derived import TorchNetwork, TorchWork

    return {"PyTorch": TorchWork(TorchNetwork(network), x.numpy(), y.numpy())}


def check_equal(works):
    """Prints the largest deviations, of the largest value.

    Raises:
      ValueError: when two are not the same network.
    """
    quantities = {
        "logits": (lambda work: work.infer(BATCH), 1e-4),
        # Of all weights together, whose order differs.
        "gradient norm": (lambda work: work.backward(), 3e-3),
        # That pass has moved the running statistics. Keras' own take the
        # biased variance.
        "logits after a step": (lambda work: work.infer(BATCH), 1e-3),
    }
    for quantity, (compute, greatest) in quantities.items():
        values = {name: np.asarray(compute(w)) for name, w in works.items()}
        ours = values.pop("ours")
        for name, theirs in values.items():
            found = np.abs(ours - theirs).max() / np.abs(theirs).max()
            print(f"{quantity}: {found:.0e} from {name}'s")
            if not found <= greatest:
                raise ValueError(f"{name} is another network: {quantity}.")


def contenders(works):
    """(work, contender) -> a function that does it once."""
    found = {}
    for name, work in works.items():
        found[f"training, {BATCH} clips", name] = work.train
        for batch in (1, BATCH):
            key = f"inference, {batch} clip{'s' * (batch > 1)}"
            found[key, name] = functools.partial(work.infer, batch)
    return found


def measure(functions, runs):
    """(work, contender) -> median wall and CPU seconds."""
    times = {key: [] for key in functions}
    for run in range(runs + 2):
        for key, function in functions.items():
            started = time.perf_counter(), time.process_time()
            function()
            # The first traces, the second still allocates.
            if run > 1:
                wall = time.perf_counter() - started[0]
                times[key].append((wall, time.process_time() - started[1]))
    return {
        key: [statistics.median(column) for column in zip(*rows, strict=True)]
        for key, rows in times.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genotype", type=Path)
    parser.add_argument("--num_cells", type=int, default=3)
    parser.add_argument("--num_channels", type=int, default=6)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    genotype = ALL_OPERATIONS
    if arguments.genotype:
        genotype = load_genotype(arguments.genotype)

    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    x = tf.constant(generator.normal(size=(BATCH, SIZE, SIZE, 1)), tf.float32)
    y = tf.constant(np.arange(BATCH) % CLASSES, tf.int32)
    size = NetworkConfig(arguments.num_cells, arguments.num_channels)
    ours = build_network(size, CLASSES, genotype, (SIZE, SIZE))
    randomize(ours, generator)
    works = {
        "ours": KerasWork(ours, x, y),
        "plain Keras": KerasWork(plain_network(ours, SIZE), x, y),
        **torch_work(ours, x, y),
    }
    check_equal(works)
    times = measure(contenders(works), arguments.runs)
    print(
        f"\nL={size.num_cells}, C={size.num_channels}, medians of "
        f"{arguments.runs} interleaved runs\n"
        "work                  by               wall s   CPU s  clips/s"
        "  ours is"
    )
    for (work, name), (wall, cpu) in sorted(times.items(), reverse=True):
        clips = int(work.split()[1])
        ratio = wall / times[work, "ours"][0]
        print(
            f"{work:22}{name:14}{wall:9.3f}{cpu:8.3f}{clips / wall:9.1f}"
            f"{ratio:7.2f} x"
        )


if __name__ == "__main__":
    main()
