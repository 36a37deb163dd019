"""The training of a derived network with all that is against overfitting."""

import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    ProtocolConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.training import loss_scale
from emotion_nas_tf.training.checkpoints import Checkpoints
from emotion_nas_tf.training.state import claim_folder
from emotion_nas_tf.training.supervised import (
    load_training_data,
    train_system,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.history import read_history

NETWORK = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
EDGES = (
    ("max_pool_3x3", 0),
    ("skip_connect", 1),
    ("sep_conv_3x3", 0),
    ("avg_pool_3x3", 1),
)
CELLS = Genotype(EDGES, (2, 3), EDGES, (2, 3))
ALL = {
    "drop_path": 0.5,
    "label_smoothing": 0.1,
    "frequency_mask": 2,
    "frequency_warp": 0.1,
    "time_mask": 3,
    "mixup": 0.4,
    "weight_averaging": 0.9,
}


@pytest.fixture(scope="module")
def train(small_records):
    """Trains two epochs into a folder."""
    protocol = ProtocolConfig(small_records, small_records, (1,), "first")
    manifest, (fold,) = open_records(protocol)
    data = load_training_data(small_records, manifest, fold)

    def train(folder, **options):
        train_system(
            "retrained",
            folder,
            data,
            manifest,
            fold,
            CELLS,
            NETWORK,
            DerivedTrainConfig(epochs=2, batch_size=8, **options),
        )
        states = folder / "checkpoints"
        last = Checkpoints(states).steps[-1]
        reader = tf.train.load_checkpoint(str(states / f"ckpt-{last}"))
        state = {
            name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
            if name.endswith("VARIABLE_VALUE")
        }
        state["losses"] = [
            row["train_loss"] for row in read_history(folder / "history.csv")
        ]
        return state

    return train


@pytest.fixture(scope="module")
def whole(train, tmp_path_factory):
    """The state after a training with all options."""
    return train(tmp_path_factory.mktemp("whole"), **ALL)


def test_interrupted_training_ends_with_the_same_bits(
    train, whole, tmp_path, monkeypatch
):
    """Drop path and masks are drawn as they would have been.

    Killed inside the second of two epochs of four steps.
    """

    resumed = train_interrupted(train, tmp_path, monkeypatch, ALL)
    assert len(whole) > 50
    assert_equal_states(resumed, whole)


def test_interrupted_training_in_half_precision_keeps_the_loss_scale(
    train, tmp_path, monkeypatch, capsys
):
    """So large a scale overflows until it has been halved a few times."""
    monkeypatch.setattr(loss_scale, "FIRST_SCALE", 2.0**17)
    half = {"precision": "mixed_float16"}
    whole = train(tmp_path / "whole", **half)
    resumed = train_interrupted(train, tmp_path / "killed", monkeypatch, half)
    assert_equal_states(resumed, whole)
    factor, _, skipped = (
        whole[f"model/{index}/.ATTRIBUTES/VARIABLE_VALUE"] for index in range(3)
    )
    assert 1 <= skipped <= 4
    assert factor == 2.0 ** (17 - skipped)
    assert (
        f"in {skipped} steps of epoch 1 a gradient" in capsys.readouterr().err
    )
    assert whole["losses"][1] < whole["losses"][0]


def train_interrupted(train, folder, monkeypatch, options):
    """The state after a training killed inside its second epoch."""

    class KilledError(Exception):
        pass

    save = Checkpoints.save

    def stop_before_saving(self, steps_completed):
        if steps_completed == 7:
            raise KilledError
        save(self, steps_completed)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", stop_before_saving)
        with pytest.raises(KilledError):
            train(folder, **options, checkpoint_minutes=0)
    return train(folder, **options)


def assert_equal_states(state, expected):
    assert state.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)


def test_drop_path_begins_with_the_second_epoch(train, whole, tmp_path):
    rest = {**ALL, "drop_path": 0.0}
    without = train(tmp_path, **rest)
    assert without["losses"][0] == whole["losses"][0]
    assert without["losses"][1] != whole["losses"][1]


def test_options_are_among_the_settings(train, tmp_path):
    for option in ALL:
        folder = tmp_path / option
        claim_folder(folder, {option: 0.75})
        with pytest.raises(UsageError, match=f"{option}: 0.75 there, 0"):
            train(folder)


def test_masks_that_cannot_be_drawn_leave_nothing_behind(train, tmp_path):
    with pytest.raises(UsageError, match="--time_mask=12"):
        train(tmp_path / "run", time_mask=12)
    assert not (tmp_path / "run").exists()
