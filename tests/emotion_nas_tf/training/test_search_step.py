"""The step as a search runs it, against the published numbers.

Compiled, and the batch cut into parts, which a batch of the fixture's three
utterances is not. So every utterance is there several times: that changes no
mean over the batch, of losses, gradients or normalisations.
"""

from types import SimpleNamespace

import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.search_space.parts import number_of_parts
from emotion_nas_tf.training import searching
from emotion_nas_tf.training.gradients import Batch, differentiate

# Of three utterances: a batch of 12 passes in three parts.
TIMES = 4
CONFIG = SearchConfig(class_balance="none")


def repeated(fixture, suffix=""):
    """The fixture's batch, every utterance several times."""
    features, labels = published.batch(fixture, suffix)
    assert number_of_parts(TIMES * len(labels)) == 3
    return tf.repeat(features, TIMES, 0), tf.repeat(labels, TIMES, 0)


def check(fixture, prefix, places, read, tolerance):
    """All published arrays of a kind, against `read(variable)`."""
    wanted = published.part(fixture, prefix)
    assert len(wanted) > 100
    for name, value in wanted.items():
        ours = published.read(places[name], read(places[name][0]), value)
        np.testing.assert_allclose(
            ours, value, rtol=0, atol=tolerance, err_msg=f"{prefix}{name}"
        )


@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_of_a_pass(supernet_fixture, recompute):
    network, found = published.load_search_network(supernet_fixture)
    network.recomputes_cells = recompute
    weights = network.network_weights

    @tf.function
    def run(features, labels):
        batch = Batch(features, labels, tf.ones(4))
        passed = differentiate(network, batch, weights)
        return passed.loss, passed.gradients

    loss, gradients = run(*repeated(supernet_fixture))

    expected = supernet_fixture["loss_train_f64"]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    by_weight = dict(zip(map(id, weights), gradients, strict=True))
    wanted = published.part(supernet_fixture, "grad_train/").values()
    check(
        supernet_fixture,
        "grad_train/",
        found,
        lambda variable: by_weight[id(variable)].numpy(),
        # Kinks of ReLU and max pooling, as in a pass of the whole batch.
        3e-3 * max(abs(value).max() for value in wanted),
    )
    check_statistics(supernet_fixture, found, 1e-5)


def check_statistics(fixture, found, tolerance):
    """Running means, and variances, which know how many values there were."""
    factors = [
        TIMES * (n - 1) / (TIMES * n - 1)
        for n in (3 * size * size for size in (28, 14, 7))
    ]
    wanted = published.part(fixture, "after_train_forward/")
    assert len(wanted) > 100
    for name, value in wanted.items():
        variable = found[name][0].numpy()
        ours = published.read(found[name], variable, value)
        kept = 0.9 * fixture[f"w/{name}"]
        expected = [value]
        if name.endswith("var"):
            expected = [kept + (value - kept) * factor for factor in factors]
        deviations = [abs(ours - each).max() for each in expected]
        assert min(deviations) < tolerance, name


def test_steps_of_a_search(supernet_fixture, double_precision):
    network, found = published.load_search_network(supernet_fixture)
    batches = [repeated(supernet_fixture, suffix) for suffix in ("", "_val")]
    labels = batches[0][1].numpy()
    data = SimpleNamespace(weights=SimpleNamespace(labels=labels))
    model = searching._compile(network, data, CONFIG)
    model.make_train_function()
    steps = iter(tf.data.Dataset.from_tensors(tuple(batches)).repeat())
    of_weights = model.weight_optimizer
    of_alphas = model.architecture_optimizer

    # Adam's three steps: the weights rest.
    of_weights.learning_rate = 0.0
    for step in (1, 2, 3):
        model.train_function(steps)
        for cell, alpha in zip(
            ("normal", "reduce"), network.architecture_weights, strict=True
        ):
            np.testing.assert_allclose(
                alpha.numpy(),
                supernet_fixture[f"adam_step{step}/alphas_{cell}_f64"],
                rtol=0,
                atol=1e-9,
            )

    # Two of SGD: alpha rests.
    of_alphas.learning_rate = 0.0
    network.normal_logits.assign(supernet_fixture["alphas_normal"])
    network.reduce_logits.assign(supernet_fixture["alphas_reduce"])
    published.set_directions(of_weights, network, found, supernet_fixture)
    for rate in (0.025, 0.0125):
        of_weights.learning_rate = rate
        model.train_function(steps)
    directions = published.direction_locations(of_weights, network, found)
    for kind, places in (("w", found), ("momentum", directions)):
        check(
            supernet_fixture,
            f"sgd_step2/{kind}/",
            places,
            lambda variable: variable.numpy(),
            1e-9,
        )
