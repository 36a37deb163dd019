"""When skip connections stop a search."""

import numpy as np
import pytest

from emotion_nas_tf.config import SearchConfig
from emotion_nas_tf.search_space.strengths import softmax
from emotion_nas_tf.training.alpha_record import AlphaRecord
from emotion_nas_tf.training.early_stop import alpha_steps, reason_to_stop

INITIAL = np.tile(1e-3 * np.arange(8.0), (2, 14, 1))


@pytest.fixture
def folder(tmp_path):
    """Epochs with 1, 2 and 0 skip connections in the normal cell."""
    alphas = np.tile(INITIAL, (3, 1, 1, 1))
    alphas[..., 4] += 1.0
    alphas[:2, 0, 0, 3] = 2.0  # Into node 0,
    alphas[1, 0, 9, 3] = 2.0  # into node 3.
    AlphaRecord(INITIAL, alphas, softmax(alphas)).save(tmp_path)
    return tmp_path


def reasons(folder, **settings):
    config = SearchConfig(epochs=3, **settings)
    return [reason_to_stop(folder, epochs, 10, config) for epochs in range(4)]


def test_stops_from_the_given_number_on(folder):
    assert reasons(folder) == [""] * 4
    assert reasons(folder, early_stop_skips=3) == [""] * 4
    *others, second, third = reasons(folder, early_stop_skips=2)
    assert others == ["", ""]
    assert second == (
        "The search was stopped after epoch 2 of 3: the normal cell held 2 "
        "skip connections (--early_stop_skips=2)."
    )
    assert third == ""


def test_initial_noise_does_not_stop(folder):
    # A rate at which chance alone would have gone as far.
    wild = {"early_stop_skips": 2, "architecture_learning_rate": 1.0}
    assert reasons(folder, **wild) == [""] * 4


def test_warm_up_epochs_move_no_alpha():
    config = SearchConfig(architecture_warm_up_epochs=2)
    assert [alpha_steps(n, 10, config) for n in (1, 2, 3)] == [0, 0, 10]
