"""Genotypes: derived, written, read, refused."""

import json
from collections import Counter

import numpy as np
import pytest

from emotion_nas_tf.search_space.edges import OPERATION_NAMES, num_edges
from emotion_nas_tf.search_space.genotype import (
    Genotype,
    derive_genotype,
    load_genotype,
    random_genotype,
)
from tfrecords_builder.errors import UsageError

EDGES = [["max_pool_3x3", 0], ["skip_connect", 1]] * 4
FIELDS = {
    "normal": EDGES,
    "normal_concat": [2, 3, 4, 5],
    "reduce": EDGES,
    "reduce_concat": [2, 3, 4, 5],
}


def write(folder, **changes):
    path = folder / "genotype.json"
    path.write_text(json.dumps({**FIELDS, **changes}))
    return path


def pairs(edges):
    return tuple((operation, source) for operation, source in edges)


def test_derivation_equals_reference(shared_dir):
    fixture = json.loads((shared_dir / "parity/darts_derive.json").read_text())
    assert tuple(fixture["primitives"]) == OPERATION_NAMES
    assert len(fixture["cases"]) == 16
    for case in fixture["cases"]:
        found = derive_genotype(case["alphas_normal"], case["alphas_reduce"])
        assert found.normal == pairs(case["normal"]), case["name"]
        assert found.reduce == pairs(case["reduce"]), case["name"]
        assert found.normal_concat == found.reduce_concat == (2, 3, 4, 5)


def test_derivation_by_hand():
    """`none` takes part in the softmax and is never chosen."""
    logits = np.zeros((num_edges(2), 8))
    assert len(logits) == 5
    logits[0, 4] = 2.0  # The strongest of node 2, ...
    logits[1, 0] = 9.0  # ... and nothing but `none`, which still is taken.
    logits[2, 5] = 3.0
    logits[3, 7], logits[3, 0] = 4.0, 5.0
    logits[4, 2] = 1.0
    found = derive_genotype(logits, np.zeros((5, 8)))
    assert found.normal == (
        ("sep_conv_3x3", 0),
        ("max_pool_3x3", 1),
        ("sep_conv_5x5", 0),
        # exp(1) / (exp(1) + 7) = .28; exp(4) / (exp(4) + exp(5) + 6) = .26
        ("avg_pool_3x3", 2),
    )
    # Ties: the earlier edge, the earlier operation.
    first = (("max_pool_3x3", 0), ("max_pool_3x3", 1))
    assert found.reduce == first * 2


def test_every_edge_keeps_its_strongest_operation():
    """Figure 2 (c): `none` is one of the eight, and then there is no edge."""
    logits = np.zeros((num_edges(2), 8))
    logits[0, 4] = 2.0
    logits[1, 0] = 0.1  # No connection from c_{k-1}, ...
    logits[2, 5] = 3.0
    logits[3, 3], logits[3, 0] = 1.0, 0.9
    logits[4, 7] = 0.2  # ... and a weak edge stays.
    empty = np.zeros((5, 8))
    empty[:, 0] = 1.0
    found = derive_genotype(logits, empty, "all_edges")
    assert found.nodes("normal") == (
        (("sep_conv_3x3", 0), ("none", 1)),
        (("sep_conv_5x5", 0), ("skip_connect", 1), ("dil_conv_5x5", 2)),
    )
    assert found.nodes("reduce") == (
        (("none", 0), ("none", 1)),
        (("none", 0), ("none", 1), ("none", 2)),
    )
    assert found.num_nodes == 2
    assert found.to_text().splitlines() == [
        "normal cell",
        "  node 0 = sep_conv_3x3(c_{k-2})",
        "  node 1 = sep_conv_5x5(c_{k-2}) + skip_connect(c_{k-1})"
        " + dil_conv_5x5(node 0)",
        "  c_k = concatenate(node 0, node 1)",
        "reduction cell",
        "  node 0 = nothing",
        "  node 1 = nothing",
        "  c_k = concatenate(node 0, node 1)",
    ]


@pytest.mark.parametrize("all_edges", [False, True])
def test_json_round_trip(tmp_path, all_edges):
    genotype = random_genotype(3, all_edges=all_edges)
    path = tmp_path / "genotype.json"
    path.write_text(genotype.to_json())
    assert load_genotype(path) == genotype
    assert json.loads(genotype.to_json())["schema_version"] == 2


def test_reads_files_of_the_first_version(tmp_path):
    genotype = load_genotype(write(tmp_path, schema_version=1))
    assert not genotype.all_edges
    assert genotype.normal == pairs(EDGES)


def test_reads_the_published_genotypes(shared_dir, tmp_path):
    fixture = json.loads((shared_dir / "parity/darts_params.json").read_text())
    assert len(fixture["genotypes"]) == 16
    for fields in fixture["genotypes"]:
        path = tmp_path / "published.json"
        # As published: no schema version, and keys that are none of ours.
        path.write_text(json.dumps(fields))
        genotype = load_genotype(path)
        assert genotype.normal == pairs(fields["normal"])
        assert genotype.reduce == pairs(fields["reduce"])
        assert genotype.normal_concat == tuple(fields["normal_concat"])
        assert genotype.reduce_concat == tuple(fields["reduce_concat"])


def test_random_genotype_is_seeded_valid_and_spread():
    assert random_genotype(1) == random_genotype(1)
    assert random_genotype(1) != random_genotype(2)
    counts = Counter()
    for seed in range(200):
        # The constructor refuses edges that read forward.
        genotype = random_genotype(seed)
        assert genotype.num_nodes == 4
        for cell in (genotype.normal, genotype.reduce):
            counts.update(operation for operation, _ in cell)
            sources = [source for _, source in cell]
            assert all(
                a != b for a, b in zip(sources[::2], sources[1::2], strict=True)
            )
    assert set(counts) == set(OPERATION_NAMES[1:])
    # 3200 draws of seven: 457 each, standard deviation 20.
    assert all(abs(count - 3200 / 7) < 100 for count in counts.values())


def test_random_genotype_of_all_edges():
    genotype = random_genotype(1, num_nodes=3, all_edges=True)
    assert [len(edges) for edges in genotype.nodes("reduce")] == [2, 3, 4]
    counts = Counter()
    for seed in range(100):
        counts.update(name for name, _ in random_genotype(seed, 4, True).normal)
    # 1400 draws of eight: 175 each, standard deviation 12.
    assert all(abs(counts[name] - 175) < 60 for name in OPERATION_NAMES)


def test_text_names_every_node():
    assert Genotype(**FIELDS).to_text().splitlines() == [
        "normal cell",
        "  node 0 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 1 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 2 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 3 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  c_k = concatenate(node 0, node 1, node 2, node 3)",
        "reduction cell",
        "  node 0 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 1 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 2 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  node 3 = max_pool_3x3(c_{k-2}) + skip_connect(c_{k-1})",
        "  c_k = concatenate(node 0, node 1, node 2, node 3)",
    ]


UNKNOWN = [["conv_7x7", 0], *EDGES[1:]]
FORWARD = [*EDGES[:2], ["skip_connect", 5], *EDGES[3:]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"normal": FORWARD},
            "Genotype.normal: node 3 reads from node 5; a node may read only "
            "from earlier nodes (0 to 2). Received: ('skip_connect', 5)",
        ),
        ({"reduce": UNKNOWN}, "Genotype.reduce: unknown operation 'conv_7x7'"),
        ({"normal": [["skip_connect", -1], *EDGES[1:]]}, "from node -1"),
        ({"normal": [["skip_connect", True], *EDGES[1:]]}, "from node True"),
        ({"normal": [["skip_connect"], *EDGES[1:]]}, "[operation, source]"),
        ({"normal": [[["none"], 0], *EDGES[1:]]}, "unknown operation"),
        ({"normal": EDGES[:7]}, "two edges for each node"),
        ({"normal": []}, "two edges for each node"),
        ({"normal": "DARTS_V2"}, "two edges for each node"),
        ({"normal_concat": [2, 6]}, "normal_concat must list nodes between 2"),
        ({"reduce_concat": [1, 2]}, "reduce_concat must list nodes between 2"),
        ({"normal_concat": []}, "normal_concat must list nodes"),
        ({"normal_concat": [2, "3"]}, "normal_concat must list nodes"),
        ({"all_edges": 1}, "all_edges must be true or false. Received: 1"),
        ({"all_edges": True}, "one edge for each earlier node"),
        (
            {"all_edges": True, "normal": EDGES[:2], "reduce": EDGES[1::-1]},
            "Genotype.normal_concat must list nodes between 2 and 2",
        ),
        (
            {"all_edges": True, "normal": EDGES[1::-1]},
            "Genotype.normal must list one edge for each earlier node",
        ),
        ({"schema_version": 3}, "has schema version 3; this program reads"),
    ],
)
def test_wrong_cells_are_refused_by_name(tmp_path, changes, message):
    path = write(tmp_path, **changes)
    with pytest.raises(UsageError) as refusal:
        load_genotype(path)
    assert message in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Genotype(normal=[])", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "JSON object with the keys normal, normal_concat, reduce"),
        (b'{"normal": []}', "JSON object with the keys"),
        # A newer schema may have other keys: its version is what matters.
        (b'{"schema_version": 3, "cells": []}', "has schema version 3"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "genotype.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refusal:
        load_genotype(path)
    assert message in str(refusal.value)


def test_missing_file_names_the_program_that_writes_it(tmp_path):
    with pytest.raises(UsageError, match=r"emotion_nas_tf\.search"):
        load_genotype(tmp_path / "none.json")
