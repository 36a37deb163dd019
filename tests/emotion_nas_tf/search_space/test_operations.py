"""Operations by hand calculation."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.search_space.genotype import OPERATION_NAMES
from emotion_nas_tf.search_space.operations import OPERATIONS


def pool(x, stride, reduce):
    """3x3 windows around every `stride`-th value, cut at the border."""
    rows, columns = range(0, len(x), stride), range(0, len(x[0]), stride)
    return [
        [
            reduce(x[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2])
            for j in columns
        ]
        for i in rows
    ]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
@pytest.mark.parametrize(
    ("name", "reduce"), [("avg_pool_3x3", np.mean), ("max_pool_3x3", np.max)]
)
def test_pooling_counts_only_inside_the_border(name, reduce, size, stride):
    # Negative, so that a border of zeros would win a maximum.
    x = np.arange(size[0] * size[1], dtype=np.float32).reshape(size) - 100
    layer = OPERATIONS[name](channels=1, stride=stride)
    np.testing.assert_allclose(
        layer(x[None, :, :, None])[0, :, :, 0],
        pool(x, stride, reduce),
        rtol=1e-6,
    )


@pytest.mark.parametrize(("stride", "shape"), [(1, (5, 4)), (2, (3, 2))])
def test_none_is_zeros(stride, shape):
    layer = OPERATIONS["none"](channels=2, stride=stride)
    np.testing.assert_array_equal(
        layer(tf.ones((1, 5, 4, 2))), np.zeros((1, *shape, 2))
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_strides_other_than_the_papers_are_refused(name):
    with pytest.raises(ValueError, match="stride must be 1 or 2"):
        OPERATIONS[name](channels=2, stride=3)


def test_operations_are_in_the_order_of_their_names():
    """Columns of alpha, genotypes and drawings count on it."""
    assert tuple(OPERATIONS) == OPERATION_NAMES
