"""Points of the projector: what the classifier reads, in the records' order."""

from types import SimpleNamespace

import numpy as np
from sequence_data import SEQUENCE, make_sequences

from emotion_nas_tf.config import NetworkConfig, RecurrentConfig
from emotion_nas_tf.networks.system import build_network
from emotion_nas_tf.recurrent.network import build_recurrent_network
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.reporting import embeddings
from emotion_nas_tf.reporting.embeddings import embed
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.records import load_manifest


def test_the_classifier_of_a_point_is_the_networks_answer(
    small_records, monkeypatch
):
    model = build_network(NetworkConfig(3, 2), 3, random_genotype(0), (12, 12))
    monkeypatch.setattr(embeddings, "load_system", lambda *_: (model, None))
    manifest = load_manifest(small_records)
    points = embed(small_records, manifest, None, "retrained")
    split = embeddings.load_split(small_records, manifest, range(72))
    np.testing.assert_allclose(
        model.classifier(points), model(split.features), atol=1e-5
    )


def test_points_of_a_recurrent_network_come_in_the_records_order(monkeypatch):
    sequences = make_sequences(40, 0)
    network = build_recurrent_network(
        RecurrentConfig(1, 4, SEQUENCE.size), built_in("gru"), 3
    )
    info = SimpleNamespace(num_frames=None)
    monkeypatch.setattr(
        embeddings, "load_recurrent_system", lambda *_: (network, info)
    )
    monkeypatch.setattr(embeddings, "load_sequences", lambda *_: sequences)
    manifest = SimpleNamespace(entries=range(40))
    points = embed(None, manifest, None, "recipe")
    for index in (0, 7, 39):
        one = np.array([index])
        inputs = sequences.padded(one), sequences.lengths[one]
        np.testing.assert_allclose(
            network.classifier(points[one]), network(inputs), atol=1e-5
        )
