"""Where the cells of a network stand."""

import pytest

from emotion_nas_tf.search_space.plan import CellPlan, plan_cells


@pytest.mark.parametrize(
    ("num_cells", "num_channels", "channels", "reductions"),
    [
        (3, 6, [6, 12, 24], {1, 2}),
        (4, 8, [8, 16, 32, 32], {1, 2}),
        (8, 16, [16, 16, 32, 32, 32, 64, 64, 64], {2, 5}),
    ],
)
def test_plan(num_cells, num_channels, channels, reductions):
    assert plan_cells(num_cells, num_channels) == [
        CellPlan(width, index in reductions, index - 1 in reductions)
        for index, width in enumerate(channels)
    ]
