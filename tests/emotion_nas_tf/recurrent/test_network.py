"""The recurrent branch: sizes, padding, probabilities, a learning task."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.config import RecurrentConfig
from emotion_nas_tf.recurrent.network import (
    RecurrentNetwork,
    build_recurrent_network,
)
from emotion_nas_tf.recurrent.parameters import parameters
from emotion_nas_tf.recurrent.recipe_files import built_in

TINY = RecurrentConfig(num_layers=2, hidden_size=4, input_size=3)


def tiny(**options):
    return build_recurrent_network(
        TINY, built_in("gru"), 4, compiled=False, **options
    )


def batch(frames=6):
    generator = np.random.default_rng(0)
    features = generator.normal(size=(2, frames, 3)).astype(np.float32)
    return features, np.array([frames, 3], np.int32)


@pytest.mark.parametrize(
    ("config", "head", "total"),
    [
        (RecurrentConfig(1, 128), 645, 361_861),
        (RecurrentConfig(2, 256), 1_285, 2_232_581),
    ],
)
def test_table_4(config, head, total):
    """0.36M and 2.23M."""
    network = build_recurrent_network(config, built_in("table4"), 4)
    assert network.count_params() == total
    assert network.stack.count_params() == total - head
    assert parameters(config, built_in("table4"), 4) == {
        "recurrent": total - head,
        "head": head,
        "total": total,
    }


def test_padding_is_left_out_unless_asked_for():
    keras.utils.set_random_seed(0)
    network = tiny()
    features, lengths = batch()
    logits = network((features, lengths))
    longer = np.pad(features, [(0, 0), (0, 50), (0, 0)], constant_values=9)
    np.testing.assert_allclose(network((longer, lengths)), logits, atol=1e-6)
    np.testing.assert_allclose(network(features[1:, :3]), logits[1:], atol=1e-6)
    unmasked = tiny(masked=False)
    unmasked.set_weights(network.get_weights())
    np.testing.assert_allclose(
        unmasked((features, lengths)), network(features), atol=1e-6
    )
    assert np.abs(unmasked((features, lengths)) - logits).max() > 1e-3


@pytest.mark.parametrize("masked", [True, False])
def test_standardised_features_are_as_if_they_came_so(masked):
    """Padding is 0 all the same; a constant feature is only shifted."""
    keras.utils.set_random_seed(0)
    plain, network = tiny(masked=masked), tiny(masked=masked, standardize=True)
    assert len(network.trainable_weights) == len(plain.trainable_weights)
    mean, deviation = np.array([1.0, -2, 5]), np.array([0.5, 4, 0])
    network.set_moments(mean, deviation)
    for mine, theirs in zip(
        network.trainable_weights, plain.trainable_weights, strict=True
    ):
        mine.assign(theirs)
    features, lengths = batch()
    features[1, 3:] = 0
    ready = ((features - mean) / [0.5, 4, 1]).astype(np.float32)
    ready[1, 3:] = 0
    np.testing.assert_allclose(
        network((features, lengths)), plain((ready, lengths)), atol=1e-5
    )


def test_softmax():
    network = tiny(softmax=True)
    probabilities = network(batch()).numpy()
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)
    logits = tiny()
    logits.set_weights(network.get_weights())
    np.testing.assert_allclose(
        tf.nn.softmax(logits(batch())), probabilities, atol=1e-6
    )


def test_learns_where_the_sign_was(tmp_path):
    """Which half of the utterance held a pulse; lengths differ."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    lengths = generator.integers(12, 40, 64).astype(np.int32)
    labels = generator.integers(0, 2, 64).astype(np.int32)
    features = np.zeros((64, 40, 3), np.float32)
    for row, (length, label) in enumerate(zip(lengths, labels, strict=True)):
        features[row, length // 4 + label * (length // 2), 0] = 5.0
        features[row, length // 2, 1] = 1.0
    network = RecurrentNetwork(built_in("gru"), 1, 8, 2)
    network.compile(
        keras.optimizers.Adam(0.03),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    history = network.fit(
        (features, lengths), labels, batch_size=32, epochs=40, verbose=0
    )
    assert history.history["loss"][-1] < 0.1
    # Saved and rebuilt from its configuration alone.
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(
        again((features, lengths)), network((features, lengths)), atol=1e-6
    )
