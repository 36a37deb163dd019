"""Sizes of networks: counted, built, published."""

import dataclasses
import json

import pytest

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.parameters import (
    architecture_parameters,
    parameters,
)
from emotion_nas_tf.networks.system import build_network, count_parameters
from emotion_nas_tf.search_space.genotype import (
    Genotype,
    load_genotype,
    random_genotype,
)


@pytest.fixture(scope="module")
def fixture(shared_dir):
    return json.loads((shared_dir / "parity/darts_params.json").read_text())


def sizes(counts):
    """`L3_C6` -> NetworkConfig(3, 6), and its count."""
    for key, count in counts.items():
        cells, channels = (int(part[1:]) for part in key.split("_"))
        yield NetworkConfig(cells, channels), count


def test_every_published_search_network(fixture):
    assert len(fixture["supernet"]) == 5
    for network, counts in sizes(fixture["supernet"]):
        for channels in (1, 3):
            found = parameters(network, 4, input_channels=channels).total
            assert found == counts[f"in{channels}"], network
        assert architecture_parameters(network) == counts["alphas"]


def test_every_published_derived_network(fixture, tmp_path):
    checked = 0
    for fields in fixture["genotypes"]:
        path = tmp_path / "genotype.json"
        path.write_text(json.dumps(fields))
        genotype = load_genotype(path)
        for channels in (1, 3):
            for network, count in sizes(fields[f"params_in{channels}"]):
                found = parameters(network, 4, genotype, channels).total
                assert found == count, (fields["name"], network, channels)
                checked += 1
        assert_parts(
            parameters(NetworkConfig(3, 6), 4, genotype),
            fields["breakdown_L3_C6_in1"],
        )
    assert checked == 16 * 5 * 2


def test_parts_of_the_published_search_network(fixture):
    assert_parts(
        parameters(NetworkConfig(3, 6), 4),
        fixture["supernet_breakdown_L3_C6_in1"],
    )


def assert_parts(found, wanted):
    assert (found.stem, found.classifier) == (
        wanted["stem"],
        wanted["classifier"],
    )
    for cell, parts in zip(found.cells, wanted["cells"], strict=True):
        assert cell.total == parts["total"]
        assert dataclasses.astuple(cell) == (
            parts["preprocess0"],
            parts["preprocess1"],
            tuple(parts["ops"]),
        )


CELL = (("sep_conv_5x5", 0), ("skip_connect", 1)) * 2


@pytest.mark.parametrize(
    ("network", "genotype"),
    [
        (NetworkConfig(3, 4), None),
        (NetworkConfig(4, 2, 2), None),
        (NetworkConfig(3, 4, partial_channels=2), None),
        (NetworkConfig(4, 8), random_genotype(0)),
        (NetworkConfig(3, 4), random_genotype(1, all_edges=True)),
        # Cells of fewer nodes, with outputs of different width.
        (NetworkConfig(3, 4), Genotype(CELL, (2, 3), CELL, (3,))),
    ],
)
def test_built_networks_have_what_is_counted(network, genotype):
    # The input's size does not change the counts.
    model = build_network(network, 4, genotype, (12, 12))
    assert count_parameters(model) == {
        "trainable": parameters(network, 4, genotype).total,
        "architecture": 0 if genotype else architecture_parameters(network),
    }
