"""A candidate's short training: rungs, divergence, what it says."""

import math

import numpy as np
import pytest
import tensorflow as tf
from sequence_data import make_data

from emotion_nas_tf.config import RecurrentConfig, RecurrentTrainConfig
from emotion_nas_tf.recurrent.parameters import parameters
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.training import candidate_training
from emotion_nas_tf.training.candidate_training import evaluate_candidate
from emotion_nas_tf.training.checkpoints import Checkpoints

SIZE = RecurrentConfig(num_layers=1, hidden_size=6)
TRAIN = RecurrentTrainConfig(
    batch_size=8, learning_rate=0.02, weight_averaging=0.6
)
GRU = built_in("gru")


def state(folder):
    step = Checkpoints(folder).steps[-1]
    reader = tf.train.load_checkpoint(str(folder / f"ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE")
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Six epochs at once: what they gave and where they are."""
    folder = tmp_path_factory.mktemp("whole")
    return evaluate_candidate(GRU, make_data(), SIZE, TRAIN, 6, folder), folder


def test_rungs_end_as_one_training(whole, tmp_path, monkeypatch):
    """Two epochs, then six in all, killed once on the way."""
    first = evaluate_candidate(GRU, make_data(), SIZE, TRAIN, 2, tmp_path)
    assert first["epochs"] == 2

    class KilledError(Exception):
        pass

    def killed(*arguments):
        raise KilledError

    with monkeypatch.context() as patch:
        # After result and training, before the state.
        patch.setattr(Checkpoints, "save", killed)
        with pytest.raises(KilledError):
            evaluate_candidate(GRU, make_data(), SIZE, TRAIN, 6, tmp_path)
    again = evaluate_candidate(GRU, make_data(), SIZE, TRAIN, 6, tmp_path)
    expected, folder = whole
    for name in ("validation_loss", "validation_ua", "epochs", "best_epoch"):
        assert again[name] == expected[name], name
    assert again["seconds"] > first["seconds"]
    mine, theirs = state(tmp_path), state(folder)
    assert len(mine) > 10
    for name, value in theirs.items():
        np.testing.assert_array_equal(mine[name], value, err_msg=name)


def test_what_is_done_is_not_done_again(whole, monkeypatch):
    expected, folder = whole
    monkeypatch.setattr(candidate_training, "run_epochs", None)
    for epochs in (3, 6):
        again = evaluate_candidate(
            GRU, make_data(), SIZE, TRAIN, epochs, folder
        )
        assert again == expected


def test_it_learns_and_counts(whole):
    result, _ = whole
    assert not result["diverged"]
    # Three classes: log 3 = 1.0986.
    assert result["validation_loss"] < 0.8
    assert result["validation_ua"] > 0.6
    size = RecurrentConfig(1, 6, 5)
    assert result["parameters"] == parameters(size, GRU, 3)["total"]


def test_divergence_is_a_result(tmp_path):
    wild = RecurrentTrainConfig(batch_size=8, learning_rate=1e38)
    first = evaluate_candidate(
        built_in("rnn"), make_data(), SIZE, wild, 3, tmp_path
    )
    assert first["diverged"]
    assert math.isnan(first["validation_loss"])
    assert first["parameters"] > 0
    again = evaluate_candidate(
        built_in("rnn"), make_data(), SIZE, wild, 9, tmp_path
    )
    assert {**again, "validation_loss": 0} == {**first, "validation_loss": 0}
    assert math.isnan(again["validation_loss"])
