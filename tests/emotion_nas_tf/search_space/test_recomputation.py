"""Cells that are calculated again for the gradient."""

import functools

import numpy as np
import published
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.cell import SearchCell
from emotion_nas_tf.training.gradients import Batch, differentiate
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.second_order import second_order_pass

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.fixture
def calls(monkeypatch):
    """The cells that were called, in order."""
    called, call = [], SearchCell.call

    # Keras reads the names of its arguments.
    @functools.wraps(call)
    def note(cell, *arguments, **further):
        called.append(cell.name)
        return call(cell, *arguments, **further)

    monkeypatch.setattr(SearchCell, "call", note)
    return called


def load(fixture):
    network, found = published.load_search_network(fixture)
    network.recomputes_cells = True
    return network, found


def batch(fixture, suffix=""):
    return Batch(*published.batch(fixture, suffix), tf.ones(4, tf.float64))


def test_weights_get_the_published_gradients(supernet_fixture, calls):
    network, found = load(supernet_fixture)
    calls.clear()
    weights = network.network_weights
    passed = differentiate(network, batch(supernet_fixture), weights)
    assert calls == [
        *("cell_0", "cell_1", "cell_2"),
        *("cell_2", "cell_1", "cell_0"),
    ]

    expected = supernet_fixture["loss_train_f64"]
    np.testing.assert_allclose(passed.loss, expected, rtol=1e-9)
    gradients = dict(zip(map(id, weights), passed.gradients, strict=True))
    for prefix, read in (
        ("grad_train/", lambda variable: gradients[id(variable)].numpy()),
        # The second time they do not move.
        ("after_train_forward/", lambda variable: variable.numpy()),
    ):
        wanted = published.part(supernet_fixture, prefix)
        assert len(wanted) > 100
        for name, value in wanted.items():
            ours = published.read(found[name], read(found[name][0]), value)
            np.testing.assert_allclose(
                ours, value, rtol=0, atol=1e-9, err_msg=name
            )


@pytest.mark.parametrize("order", ["first", "second"])
def test_alphas_get_the_published_gradients(supernet_fixture, calls, order):
    network, found = load(supernet_fixture)
    calls.clear()
    validation = batch(supernet_fixture, "_val")
    if order == "first":
        alphas = network.architecture_weights
        passed = differentiate(network, validation, alphas)
        assert len(calls) == 6
    else:
        optimizer = MomentumSGD(0.025, global_clipnorm=5.0)
        optimizer.build(network.network_weights)
        published.set_directions(optimizer, network, found, supernet_fixture)
        training = batch(supernet_fixture)
        passed = second_order_pass(network, optimizer, training, validation)
        assert len(calls) == 4 * 6
    for cell, gradient in zip(
        ("normal", "reduce"), passed.gradients, strict=True
    ):
        wanted = supernet_fixture[f"{order}_order/dalpha_{cell}_f64"]
        np.testing.assert_allclose(
            gradient, wanted, rtol=0, atol=1e-9 * abs(wanted).max()
        )
