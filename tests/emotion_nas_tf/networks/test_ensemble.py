"""Ensembles of tiny networks against NumPy."""

import hashlib
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy.special import softmax

from emotion_nas_tf.networks.ensemble import EnsembleNetwork, load_members
from emotion_nas_tf.networks.members import (
    digest_of_weights,
    member_folder,
    members_of,
)
from tfrecords_builder.errors import WorkError


def member(kernel):
    network = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, use_bias=False)]
    )
    network.set_weights([np.array(kernel, np.float32)])
    return network


def test_the_softmax_of_its_logits_is_the_mean_of_the_members():
    generator = np.random.default_rng(0)
    kernels = generator.normal(0, 3, (4, 2, 3))
    x = generator.normal(size=(5, 2)).astype(np.float32)
    ensemble = EnsembleNetwork([member(kernel) for kernel in kernels])
    expected = np.mean([softmax(x @ k, axis=1) for k in kernels], axis=0)
    logits = ensemble(x, training=False).numpy()
    np.testing.assert_allclose(softmax(logits, axis=1), expected, rtol=1e-5)
    # They are logarithms of probabilities already.
    np.testing.assert_allclose(np.exp(logits), expected, rtol=1e-5)
    assert len(ensemble.trainable_weights) == 4


def test_the_surest_of_answers_are_no_zeros_or_infinities():
    """Members that contradict each other by e to the thousand."""
    sure = [[1000.0, 0, 0], [0, 0, 0]], [[0, 1000.0, 0], [0, 0, 0]]
    logits = EnsembleNetwork([member(kernel) for kernel in sure])(
        np.array([[1.0, 0.0]], np.float32)
    ).numpy()
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(softmax(logits), [[0.5, 0.5, 0]], atol=1e-6)


@pytest.fixture
def folder(tmp_path):
    """Eleven members, in an order that is not that of their names."""
    for number in range(1, 12):
        path = member_folder(tmp_path, number)
        path.mkdir()
        (path / "weights").write_text(f"{number}")
    return tmp_path


def load(path):
    number = int((path / "weights").read_text())
    return member(np.full((2, 3), number)), SimpleNamespace(parameters=number)


def test_members_are_read_in_their_order(folder):
    network = load_members(folder, SimpleNamespace(parameters=66), load)
    assert [each.get_weights()[0][0, 0] for each in network.members] == [
        *range(1, 12)
    ]


def test_a_folder_without_members_is_a_single_network(tmp_path):
    (tmp_path / "weights").write_text("5")
    network = load_members(tmp_path, SimpleNamespace(parameters=5), load)
    assert network.get_weights()[0][0, 0] == 5
    assert members_of(tmp_path) == []


@pytest.mark.parametrize("lost", [4, 11])
def test_a_lost_member_is_missed(folder, lost):
    path = member_folder(folder, lost)
    (path / "weights").unlink()
    path.rmdir()
    with pytest.raises(WorkError, match="is a damaged ensemble"):
        load_members(folder, SimpleNamespace(parameters=66), load)


def test_the_digest_is_that_of_all_weights(folder, tmp_path):
    each = [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(1, 12)]
    expected = hashlib.sha256("\n".join(each).encode()).hexdigest()
    assert digest_of_weights(folder, "weights") == expected
    assert digest_of_weights(member_folder(folder, 3), "weights") == each[2]
    with pytest.raises(FileNotFoundError):
        digest_of_weights(folder, "others")
