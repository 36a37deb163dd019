"""Does the derived network's speed profit too? Clips a second.

    python -m benchmarks.derived [--genotype=CELLS.json] [--num_cells=3]
        [--num_channels=6] [--runs=9]

Training steps of 16 clips and inference of 1 and of 16, by this project's
layers and by a plain Keras layer an operation (`plain_derived.py`), with the
same weights. First both are compared in output, gradients and running
statistics; then they take turns in one run. Medians; CPU seconds beside wall
time, because other work on the machine shows in the latter.
"""

import argparse
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
from emotion_nas_tf.training.supervised import SupervisedTraining

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


def gradients(network, x, y):
    weights = network.trainable_weights
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(
            y, network(x, training=True), from_logits=True
        )
        loss = tf.reduce_mean(losses)
    return tape.gradient(loss, [weight.value for weight in weights])


def check_equal(ours, plain, x, y):
    """Largest deviations, of the largest value.

    Raises:
      ValueError: when the two are not the same network.
    """
    found = {}

    def compare(name, one, other, greatest):
        one, other = np.asarray(one), np.asarray(other)
        found[name] = np.abs(one - other).max() / np.abs(other).max()
        if not found[name] <= greatest:
            raise ValueError(f"The networks differ in {name}: {found[name]}.")

    compare("logits", ours(x), plain(x), 1e-4)
    # Of all weights together, whose order differs.
    norms = [tf.linalg.global_norm(gradients(n, x, y)) for n in (ours, plain)]
    compare("gradient norm", *norms, 3e-3)
    # That pass has moved the running statistics of both; those of our layers
    # take the unbiased variance.
    compare("logits after a step", ours(x), plain(x), 1e-2)
    return found


def contenders(networks, x, y):
    """(work, contender) -> a function that does it once."""
    found = {}
    for name, network in networks.items():
        model = SupervisedTraining(network, [1.0] * CLASSES)
        optimizer = MomentumSGD(1e-4, global_clipnorm=5.0)
        optimizer.build(network.trainable_weights)
        model.compile(optimizer=optimizer, jit_compile=False)
        step = tf.function(model.train_step)
        infer = tf.function(lambda x, network=network: network(x))

        def work(function, argument):
            return lambda: tf.nest.map_structure(
                lambda tensor: tensor.numpy(), function(argument)
            )

        found[f"training, {BATCH} clips", name] = work(step, (x, y))
        for batch in (1, BATCH):
            key = f"inference, {batch} clip{'s' * (batch > 1)}"
            found[key, name] = work(infer, x[:batch])
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
    networks = {"ours": ours, "plain Keras": plain_network(ours, SIZE)}
    for name, deviation in check_equal(*networks.values(), x, y).items():
        print(f"largest difference of {name}: {deviation:.1e}")

    times = measure(contenders(networks, x, y), arguments.runs)
    print(
        f"\nL={size.num_cells}, C={size.num_channels}, medians of "
        f"{arguments.runs} interleaved runs\n"
        "work                  by               wall s   CPU s  clips/s  ratio"
    )
    for (work, name), (wall, cpu) in sorted(times.items(), reverse=True):
        clips = int(work.split()[1])
        ratio = times[work, "plain Keras"][0] / wall
        print(
            f"{work:22}{name:14}{wall:9.3f}{cpu:8.3f}{clips / wall:9.1f}"
            f"{ratio:7.2f}"
        )


if __name__ == "__main__":
    main()
