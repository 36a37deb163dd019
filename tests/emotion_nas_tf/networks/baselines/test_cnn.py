"""The hand-designed network: its size, and that it is like a derived one's."""

import numpy as np
import pytest

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.baselines.cnn import (
    build_cnn,
    cnn_parameters,
    matching_width,
)
from emotion_nas_tf.networks.parameters import parameters
from emotion_nas_tf.search_space.genotype import random_genotype


@pytest.mark.parametrize(("width", "classes"), [(1, 2), (8, 4)])
def test_parameters_are_those_of_the_network(width, classes):
    network = build_cnn(width, classes, (12, 12))
    found = sum(np.prod(w.shape) for w in network.trainable_weights)
    assert found == cnn_parameters(width, classes)
    assert network(np.ones((3, 20, 16, 1), np.float32)).shape == (3, classes)


def test_parameters_by_hand():
    # 25 (1*2 + 2*3 + 3*4 + 4*6), scale and offset of 1+2+3+4+6, 6*4 + 4.
    assert cnn_parameters(1, 4) == 25 * 44 + 2 * 16 + 28


@pytest.mark.parametrize(("cells", "channels"), [(3, 4), (3, 6), (4, 8)])
def test_the_size_is_that_of_derived_networks(cells, channels):
    network = NetworkConfig(num_cells=cells, num_channels=channels)
    width = matching_width(network, 4)
    # Others than those that the width was matched with.
    derived = [
        parameters(network, 4, random_genotype(seed)).total
        for seed in range(1000, 1050)
    ]
    assert min(derived) < cnn_parameters(width, 4) < max(derived)
    distances = {
        w: abs(cnn_parameters(w, 4) - np.mean(derived)) for w in range(1, 20)
    }
    assert width == min(distances, key=distances.get)
