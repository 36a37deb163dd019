"""The cap on skip connections, by hand."""

import numpy as np
import pytest

from emotion_nas_tf.search_space.genotype import genotype_of_strengths
from emotion_nas_tf.search_space.skip_cap import cap_skip_connections

SKIP, SEP = 3, 4
REDUCE = np.full((5, 8), 1 / 8)
# Two nodes. Edges 0, 1 enter the first; 2, 3, 4 the second.
NORMAL = np.zeros((5, 8))
NORMAL[0, [SKIP, SEP]] = 0.9, 0.05
NORMAL[1, [SKIP, SEP]] = 0.6, 0.3
NORMAL[2, [SKIP, SEP]] = 0.5, 0.1
NORMAL[3, SEP] = 0.4
NORMAL[4, SEP] = 0.2


def derive(normal):
    return genotype_of_strengths(normal, REDUCE)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (3, ["skip 0", "skip 1", "skip 0", "sep 1"]),
        # Edge 2 (.5) goes first; with .1 it loses its place to edge 4.
        (2, ["skip 0", "skip 1", "sep 1", "sep 2"]),
        # Then edge 1 (.6), which goes on as a convolution.
        (1, ["skip 0", "sep 1", "sep 1", "sep 2"]),
        (0, ["sep 1", "sep 0", "sep 1", "sep 2"]),
    ],
)
def test_weakest_skip_connections_go_first(limit, expected):
    before = NORMAL.copy()
    normal = derive(cap_skip_connections(NORMAL, limit, derive)).normal
    names = {"skip_connect": "skip", "sep_conv_3x3": "sep"}
    assert [f"{names[o]} {source}" for o, source in normal] == expected
    np.testing.assert_array_equal(NORMAL, before)


def test_cap_where_every_edge_is_kept():
    def every_edge(normal):
        return genotype_of_strengths(normal, REDUCE, "all_edges")

    capped = cap_skip_connections(NORMAL, 1, every_edge)
    operations = [operation for operation, _ in every_edge(capped).normal]
    assert operations == ["skip_connect"] + ["sep_conv_3x3"] * 4
