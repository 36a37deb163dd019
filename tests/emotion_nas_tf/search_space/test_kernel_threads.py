"""How cores are shared between parts and operations."""

import pytest

from emotion_nas_tf.search_space.kernel_threads import kernel_threads


@pytest.mark.parametrize(
    ("cores", "batch_size", "threads"),
    [
        # Four parts of 16, two of 8 and of 2.
        *[(1, 16, 1), (2, 16, 1), (4, 16, 1), (8, 16, 2), (16, 16, 4)],
        *[(2, 8, 1), (4, 8, 2), (4, 2, 2)],
        # Not cut.
        *[(2, 1, None), (8, 7, None)],
    ],
)
def test_parts_come_first(cores, batch_size, threads):
    assert kernel_threads(cores, batch_size) == threads
