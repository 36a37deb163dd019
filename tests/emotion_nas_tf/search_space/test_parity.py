"""The networks against numbers of the published reference implementation."""

import json

import keras
import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.operations import OPERATIONS
from emotion_nas_tf.search_space.supernet import SearchNetwork


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """Runs a test in single and in double precision."""
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def tolerance(precision: str) -> float:
    return 1e-5 if precision == "float32" else 1e-9


def nhwc(array, precision):
    return tf.constant(np.transpose(array, (0, 2, 3, 1)), precision)


def nchw(tensor):
    return np.transpose(tensor.numpy(), (0, 3, 1, 2))


def part(fixture, prefix):
    return {
        name.removeprefix(prefix): fixture[name]
        for name in fixture.files
        if name.startswith(prefix)
    }


@pytest.fixture(scope="session")
def ops_fixture(shared_dir):
    return np.load(shared_dir / "parity/darts_ops.npz")


CASES = [
    (name, stride, size)
    for name in OPERATIONS
    for stride in (1, 2)
    for size in (8, 7)
    # The reference itself refuses a strided skip connection on an odd size.
    if (name, stride, size) != ("skip_connect", 2, 7)
]


@pytest.mark.parametrize(("name", "stride", "size"), CASES)
def test_operation_equals_reference(ops_fixture, precision, name, stride, size):
    x = nhwc(ops_fixture[f"x{size}_nchw"], precision)
    for suffix, search in (("", False), ("_search", True)):
        prefix = f"{name}_s{stride}_n{size}{suffix}/"
        if f"{prefix}eval_f64" not in ops_fixture:
            continue
        layer = OPERATIONS[name](channels=4, stride=stride, search=search)
        layer(x)
        found = published.operation_locations("", layer, 0)
        found = {key.removeprefix("."): value for key, value in found.items()}
        published.assign(found, part(ops_fixture, f"{prefix}w/"))
        for mode in ("eval", "train"):
            y = nchw(layer(x, training=mode == "train"))
            np.testing.assert_allclose(
                y,
                ops_fixture[f"{prefix}{mode}_f64"],
                rtol=0,
                atol=tolerance(precision),
                err_msg=f"{prefix}{mode}",
            )
        after = part(ops_fixture, f"{prefix}after_train_forward/")
        for key, value in after.items():
            variable = found[key][0].numpy()
            np.testing.assert_allclose(
                published.read(found[key], variable, value),
                value,
                rtol=0,
                atol=tolerance(precision),
            )


def test_strided_skip_takes_odd_sizes():
    layer = OPERATIONS["skip_connect"](channels=4, stride=2)
    assert layer(tf.ones((1, 7, 9, 4))).shape == (1, 4, 5, 4)


@pytest.fixture(scope="session")
def fixtures(shared_dir):
    return {
        kind: np.load(shared_dir / f"parity/darts_parity_{kind}.npz")
        for kind in ("derived", "supernet")
    }


def load_network(kind, fixture):
    if kind == "supernet":
        network = SearchNetwork(num_cells=3, num_channels=4)
    else:
        genotype = json.loads(str(fixture["meta"]))["genotype"]
        network = DerivedNetwork(
            Genotype(**genotype), num_cells=3, num_channels=4
        )
    network(tf.zeros((1, 28, 28, 1), keras.config.floatx()))
    found = published.locations(network)
    published.assign(found, part(fixture, "w/"))
    if kind == "supernet":
        network.normal_logits.assign(fixture["alphas_normal"])
        network.reduce_logits.assign(fixture["alphas_reduce"])
    return network, found


@pytest.mark.parametrize("kind", ["derived", "supernet"])
def test_network_equals_reference(fixtures, precision, kind):
    fixture = fixtures[kind]
    network, found = load_network(kind, fixture)
    x = nhwc(fixture["x_nchw"], precision)
    close = tolerance(precision)

    for mode in ("eval", "train"):
        if mode == "train":
            weights = [v.value for v in network.trainable_weights]
            with tf.GradientTape() as tape:
                logits = network(x, training=True)
                loss = tf.reduce_mean(
                    tf.nn.sparse_softmax_cross_entropy_with_logits(
                        labels=fixture["y"].astype(np.int32), logits=logits
                    )
                )
        else:
            logits = network(x)
        np.testing.assert_allclose(
            logits.numpy(), fixture[f"logits_{mode}_f64"], rtol=0, atol=close
        )
    np.testing.assert_allclose(
        loss.numpy(), fixture["loss_train_f64"], rtol=0, atol=close
    )

    for name, value in part(fixture, "after_train_forward/").items():
        variable = found[name][0].numpy()
        np.testing.assert_allclose(
            published.read(found[name], variable, value),
            value,
            rtol=0,
            atol=close,
            err_msg=name,
        )

    gradients = {
        id(variable): gradient.numpy()
        for variable, gradient in zip(
            network.trainable_weights,
            tape.gradient(loss, weights),
            strict=True,
        )
    }
    wanted = part(fixture, "grad_train/")
    greatest = max(abs(value).max() for value in wanted.values())
    for name, value in wanted.items():
        ours = published.read(found[name], gradients[id(found[name][0])], value)
        np.testing.assert_allclose(
            ours,
            value,
            rtol=0,
            # Kinks of ReLU and max pooling: correct float32 implementations
            # differ by this much of the greatest gradient.
            atol=close if precision == "float64" else 3e-3 * greatest,
            err_msg=name,
        )


@pytest.mark.parametrize("kind", ["derived", "supernet"])
def test_activations_equal_reference(fixtures, precision, kind):
    fixture = fixtures[kind]
    network, _ = load_network(kind, fixture)
    x = nhwc(fixture["x_nchw"], precision)
    for mode in ("eval", "train"):
        outputs = network.outputs_of_cells(x, training=mode == "train")
        for name, output in zip(
            ("stem", "cell0", "cell1", "cell2"), outputs, strict=True
        ):
            np.testing.assert_allclose(
                nchw(output),
                fixture[f"act_{mode}/{name}"],
                rtol=0,
                atol=tolerance(precision),
                err_msg=f"{mode} {name}",
            )


def test_first_order_alpha_gradient_equals_reference(fixtures, precision):
    fixture = fixtures["supernet"]
    network, _ = load_network("supernet", fixture)
    alphas = [w.value for w in network.architecture_weights]
    with tf.GradientTape() as tape:
        logits = network(nhwc(fixture["x_val_nchw"], precision), training=True)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=fixture["y_val"].astype(np.int32), logits=logits
            )
        )
    for cell, gradient in zip(
        ("normal", "reduce"), tape.gradient(loss, alphas), strict=True
    ):
        wanted = fixture[f"first_order/dalpha_{cell}_f64"]
        relative = 1e-9 if precision == "float64" else 3e-3
        np.testing.assert_allclose(
            gradient.numpy(), wanted, rtol=0, atol=relative * abs(wanted).max()
        )
