"""A support vector machine by hand, and beside scikit-learn's."""

import numpy as np
import pytest

from emotion_nas_tf.networks.baselines.linear import (
    LinearMachine,
    load_linear_machine,
)
from tfrecords_builder.errors import WorkError

# Three classes: pairs 0-1, 0-2, 1-2; two features of mean 1 and deviation 2.
MACHINE = LinearMachine(
    mean=np.array([1.0, 1.0]),
    scale=np.array([2.0, 2.0]),
    weights=np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]]),
    bias=np.array([0.0, 0.0, 0.5]),
    num_classes=3,
)


def test_votes_by_hand():
    features = np.array([[5.0, 3.0], [-3.0, np.nan]])
    np.testing.assert_array_equal(
        MACHINE.standardize(features), [[2.0, 1.0], [-2.0, 0.0]]
    )
    # Margins 2, 1, -0.5: votes 0, 0, 2; sums 3, -2.5, -0.5.
    # Margins -2, 0, 2.5: votes 1, 2, 1; sums -2, 4.5, -2.5.
    votes = [[2, 0, 1], [0, 2, 1]]
    sums = np.array([[3.0, -2.5, -0.5], [-2.0, 4.5, -2.5]])
    np.testing.assert_allclose(
        MACHINE.scores(features), votes + sums / (3 * (abs(sums) + 1))
    )


def test_the_file_holds_it(tmp_path):
    path = tmp_path / "machine.npz"
    MACHINE.save(path)
    features = np.random.default_rng(0).normal(size=(9, 2))
    np.testing.assert_array_equal(
        load_linear_machine(path).scores(features), MACHINE.scores(features)
    )
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WorkError, match=r"machine\.npz cannot be read"):
        load_linear_machine(path)
