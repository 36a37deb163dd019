"""Sizes of networks, against the published ones."""

import json

import pytest

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.system import build_network, count_parameters
from emotion_nas_tf.search_space.genotype import Genotype

# The input's size does not change the counts.
SMALL = (12, 12)


@pytest.mark.parametrize(
    ("num_cells", "num_channels", "trainable"),
    # Table 3 of the paper: 0.07M, 0.13M, 0.35M.
    [(3, 4, 72_248), (3, 6, 132_274), (4, 8, 346_092)],
)
def test_search_network(num_cells, num_channels, trainable):
    network = build_network(
        NetworkConfig(num_cells, num_channels), 4, input_shape=SMALL
    )
    # Alpha: 14 edges, 8 operations, two kinds of cell.
    assert count_parameters(network) == {
        "trainable": trainable,
        "architecture": 224,
    }


@pytest.mark.parametrize(
    # Four cells are of all three kinds; three are checked on a few.
    ("num_cells", "num_channels", "every"),
    [(3, 4, 5), (3, 6, 5), (4, 8, 1)],
)
def test_derived_networks(shared_dir, num_cells, num_channels, every):
    fixture = json.loads((shared_dir / "parity/darts_params.json").read_text())
    wanted, found = {}, {}
    for fields in fixture["genotypes"][::every]:
        name = fields["name"]
        genotype = Genotype(
            fields["normal"],
            fields["normal_concat"],
            fields["reduce"],
            fields["reduce_concat"],
        )
        network = build_network(
            NetworkConfig(num_cells, num_channels), 4, genotype, SMALL
        )
        found[name] = count_parameters(network)
        wanted[name] = {
            "trainable": fields["params_in1"][f"L{num_cells}_C{num_channels}"],
            "architecture": 0,
        }
    assert found == wanted
