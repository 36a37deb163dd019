"""Started by `test_replicas`: a search step on two logical CPU devices.

Prints, as JSON, the greatest differences between one step on two replicas and
the same step in one place. A program of its own, because logical devices have
to be made before TensorFlow starts.
"""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.checkpoints import Checkpoints
from emotion_nas_tf.training.optimizers import CoupledAdam, MomentumSGD


class Toy(keras.Model):
    """No batch normalisation: the mean over replicas is that of the batch."""

    def __init__(self):
        super().__init__()
        self.w = self.add_weight(shape=(3, 4), initializer="glorot_uniform")
        self.alpha = self.add_weight(shape=(3,), initializer="glorot_uniform")
        self.network_weights = [self.w]
        self.architecture_weights = [self.alpha]
        self.built = True

    def call(self, x, training=False):
        x = tf.tanh(x[:, 0, :3, 0]) * self.alpha.value
        return tf.tanh(x @ self.w.value)

    def architecture_penalty(self):
        return tf.reduce_sum(self.alpha.value**2)


def supernet():
    # One node a cell: two networks are traced, the one of them twice.
    network = SearchNetwork(num_cells=3, num_channels=2, num_nodes=1)
    network(tf.zeros((1, 8, 8, 1), tf.float64))
    return network


def batches(count):
    generator = np.random.default_rng(1)

    def batch():
        x = generator.normal(size=(4 * count, 8, 8, 1))
        return 5 * x, generator.integers(0, 4, 4 * count).astype(np.int32)

    return tf.data.Dataset.from_tensor_slices((batch(), batch())).batch(4)


def train(strategy, make, order, micro_batches):
    """Variables, states of the optimisers and results of an epoch."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = BilevelSearch(make(), [0.5, 1, 1, 2], order, micro_batches)
        # So low a clip acts on every gradient.
        model.compile(
            MomentumSGD(0.1, global_clipnorm=0.05),
            CoupledAdam(0.01),
            jit_compile=False,
        )
    history = model.fit(batches(2), verbose=0, shuffle=False).history
    variables = [
        *model.network.variables,
        *model.weight_optimizer.variables,
        *model.architecture_optimizer.variables,
    ]
    return model, [v.numpy() for v in variables], history


def difference(one, other):
    return max(
        float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True)
    )


def main():
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    # In single precision the alphas' gradients differ by rounding alone: by
    # 2e-5 of the greatest, which Adam then divides by their size.
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    here = tf.distribute.get_strategy()
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    result = {"replicas": two.num_replicas_in_sync}
    for name, make, order, micro_batches in (
        ("toy_first", Toy, "first", 1),
        ("toy_second", Toy, "second", 1),
        ("supernet_first", supernet, "first", 2),
    ):
        _, one, expected = train(here, make, order, micro_batches)
        model, other, history = train(two, make, order, 1)
        result[name] = difference(one, other)
        for key in expected:
            result[f"{name}_{key}"] = abs(expected[key][0] - history[key][0])
    # An odd remainder leaves the second replica without an utterance.
    last = batches(2).map(lambda batch, _: batch).unbatch().take(5).batch(4)
    result["evaluated"] = model.evaluate(last, verbose=0, return_dict=True)[
        "loss"
    ]
    result["restored"] = restored_difference(model, other)
    print(json.dumps(result))


def restored_difference(model, values):
    """A checkpoint of two replicas, read back after everything was moved."""
    with tempfile.TemporaryDirectory() as folder:
        groups = {
            "network": model.network.variables,
            "weights": model.weight_optimizer.variables,
            "architecture": model.architecture_optimizer.variables,
        }
        checkpoints = Checkpoints(Path(folder), **groups)
        checkpoints.save(1)
        variables = [v for group in groups.values() for v in group]
        for variable in variables:
            variable.assign(tf.zeros_like(variable))
        checkpoints.restore()
        components = [
            [part.numpy() for part in variable.value.values]
            for variable in variables
            if hasattr(variable.value, "values")
        ]
        assert all(len(parts) == 2 for parts in components)
        return max(
            difference([p[i] for p in components], values) for i in (0, 1)
        )


if __name__ == "__main__":
    main()
