"""`describe` counts what it is asked about."""

import json

import pytest
from programs import assert_refused, start

EDGES = [["max_pool_3x3", 0], ["skip_connect", 1]] * 4
CONCAT = [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("normal", "message"),
    [
        ([["conv_7x7", 0], *EDGES[1:]], "unknown operation 'conv_7x7'"),
        (
            [*EDGES[:2], ["skip_connect", 5], *EDGES[3:]],
            "node 3 reads from node 5; a node may read only from earlier",
        ),
    ],
)
def test_describe_refuses_a_wrong_genotype(tmp_path, normal, message):
    path = tmp_path / "cells.json"
    path.write_text(
        json.dumps(
            {
                "normal": normal,
                "normal_concat": CONCAT,
                "reduce": EDGES,
                "reduce_concat": CONCAT,
            }
        )
    )
    process = start("describe", f"--genotype={path}")
    assert_refused(process, f"{path}: Genotype.normal", message)


def test_describe_prints_one_json_object():
    process = start("describe", "--num_cells=3", "--num_channels=4")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == {
        "stream": "spectrogram",
        "network": "search",
        "num_cells": 3,
        "num_channels": 4,
        "num_nodes": 4,
        "relaxation": "softmax",
        "partial_channels": 1,
        "num_classes": 4,
        "parameters": {"trainable": 72_248, "architecture": 224},
    }


def test_describe_counts_a_recurrent_network(tmp_path):
    """A state aside: counted, and warned of."""
    path = tmp_path / "recipe.json"
    recipe = {
        "f": {"op": "linear", "input": ["x", "h_prev_0"]},
        "h_new_0": {"op": "activation_tanh", "input": ["f"]},
        "g": {"op": "linear", "input": ["h_prev_1", "f"]},
        "h_new_1": {"op": "activation_sigm", "input": ["g"]},
    }
    path.write_text(json.dumps(recipe))
    process = start(
        "describe",
        "--stream=wav2vec",
        f"--recipe={path}",
        "--num_layers=2",
        "--hidden_size=8",
        "--input_size=5",
    )
    assert process.returncode == 0, process.stderr
    assert "h_new_1 never reaches the output" in process.stderr
    described = json.loads(process.stdout)
    recurrent = (5 * 8 + 3 * 64 + 2 * 8) + (8 * 8 + 3 * 64 + 2 * 8)
    head = (8 + 1) + (8 + 1) * 4
    assert described["parameters"] == {
        "recurrent": recurrent,
        "head": head,
        "total": recurrent + head,
    }
    assert described["recipe"] == recipe
    assert len(described["warnings"]) == 1
