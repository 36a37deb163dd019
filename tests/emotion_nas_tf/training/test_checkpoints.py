"""States written whole, read back, and damaged in every way."""

import errno
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from programs import ROOT

from emotion_nas_tf.training.callbacks import DivergedError
from emotion_nas_tf.training.checkpoints import Checkpoints, SaveRegularly
from tfrecords_builder.errors import UsageError, WorkError

# Saves step 4 of the variable where no file may have more than 300 bytes.
# Python ignores the signal that this sends: a write fails, as on a full disk.
SAVE_WITHOUT_ROOM = """
import resource
from pathlib import Path
from tfrecords_builder import program

def main(arguments):
    program.load_tensorflow()
    import keras
    from emotion_nas_tf.training.checkpoints import Checkpoints
    value = keras.Variable([4.0] * 100)
    checkpoints = Checkpoints(Path(arguments[0]), group=[value])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
    checkpoints.save(4)

program.run(main)
"""
INDEX, DATA = "ckpt-{}.index", "ckpt-{}.data-00000-of-00001"


@pytest.fixture
def saved(tmp_path):
    """A folder after steps 1 to 3 of a variable that counts them."""
    value = keras.Variable([0.0] * 100, name="counter")
    checkpoints = Checkpoints(tmp_path / "states", group=[value])
    for step in (1, 2, 3):
        value.assign([float(step)] * 100)
        checkpoints.save(step)
    return tmp_path / "states"


def restore(folder):
    """Steps completed, and what the variable then holds."""
    value = keras.Variable([0.0] * 100)
    steps = Checkpoints(folder, group=[value]).restore()
    (content,) = set(value.numpy())
    return steps, content


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_two_states_are_kept_and_the_last_is_restored(saved):
    assert sorted(path.name for path in saved.iterdir()) == [
        DATA.format(2),
        INDEX.format(2),
        DATA.format(3),
        INDEX.format(3),
    ]
    assert restore(saved) == (3, 3.0)


def test_nothing_there_changes_nothing(tmp_path):
    assert restore(tmp_path / "new") == (0, 0.0)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        *((cut, INDEX), (empty, INDEX), (flip_a_bit, INDEX)),
        *((cut, DATA), (empty, DATA), (flip_a_bit, DATA), (remove, DATA)),
    ],
)
def test_damaged_checkpoint_falls_back_and_says_so(saved, capsys, damage, name):
    damage(saved / name.format(3))
    assert restore(saved) == (2, 2.0)
    message = capsys.readouterr().err
    assert "ckpt-3 cannot be read" in message
    assert "taking the one before" in message
    assert len(message.splitlines()) == 1
    # Found once: the state that counts is the last one again.
    assert restore(saved) == (2, 2.0)
    assert capsys.readouterr().err == ""


def test_all_damaged_is_refused_and_left_as_it_is(saved):
    for step in (2, 3):
        cut(saved / DATA.format(step))
    before = sorted(saved.iterdir())
    with pytest.raises(UsageError) as refusal:
        restore(saved)
    assert str(refusal.value) == (
        f"No checkpoint in {saved} can be read. Remove the folder "
        f"{saved.parent} to start from the beginning."
    )
    assert sorted(saved.iterdir()) == before


def test_leftovers_of_a_kill_are_cleared_away(saved):
    (saved / "ckpt-4_temp").mkdir()
    (saved / "ckpt-4_temp" / "part").write_text("half")
    (saved / DATA.format(4)).write_text("without an index")
    assert restore(saved) == (3, 3.0)
    Checkpoints(saved, group=[keras.Variable([4.0] * 100)]).save(4)
    assert restore(saved) == (4, 4.0)
    (saved / "ckpt-9_temp").mkdir()
    Checkpoints(saved, group=[keras.Variable([5.0] * 100)]).save(5)
    assert {path.name.split(".")[0] for path in saved.iterdir()} == {
        "ckpt-4",
        "ckpt-5",
    }


@pytest.mark.parametrize(
    "error",
    [
        tf.errors.ResourceExhaustedError(
            None,
            None,
            "{{function_node __wrapped__SaveV2_dtypes_3_device_/job:localhost}}"
            " No space left on device [Op:SaveV2]",
        ),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_full_disk_keeps_the_state_before(saved, monkeypatch, error):
    checkpoints = Checkpoints(saved, group=[keras.Variable([4.0] * 100)])

    def full(path):
        (saved / "ckpt-4_temp").mkdir()
        raise error

    monkeypatch.setattr(checkpoints._checkpoint, "write", full)
    with pytest.raises(WorkError) as refusal:
        checkpoints.save(4)
    assert str(refusal.value) == (
        f"The state after step 4 cannot be written to {saved} (No space left "
        "on device). Is the disk full? The state after step 3 is kept in "
        f"{saved}. Free some space and run the same command again."
    )
    assert restore(saved) == (3, 3.0)
    assert not (saved / "ckpt-4_temp").exists()


def test_write_that_the_system_refuses_keeps_the_state_before(saved):
    before = sorted(saved.iterdir())
    process = subprocess.run(
        [sys.executable, "-c", SAVE_WITHOUT_ROOM, str(saved)],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith(
        f"Error: The state after step 4 cannot be written to {saved} ("
    )
    assert "File too large). Is the disk full? The state after step 3" in line
    assert sorted(saved.iterdir()) == before
    assert restore(saved) == (3, 3.0)


def test_state_that_is_not_finite_is_not_kept(saved):
    """A gradient of one step is seen in the loss of the next one only."""
    value = keras.Variable([1.0, np.inf], name="kernel")
    with pytest.raises(DivergedError) as refusal:
        Checkpoints(saved, group=[value]).save(4)
    assert str(refusal.value) == (
        "kernel is no longer a finite number after step 4. The state after "
        f"step 3 is kept in {saved}. Lower the learning rate and use another "
        "--run_dir."
    )
    assert restore(saved) == (3, 3.0)


def test_states_inside_long_epochs(monkeypatch):
    """Epochs of five steps, 40 seconds a step, a state every minute."""
    now = [1000.0]
    monkeypatch.setattr(
        "emotion_nas_tf.training.checkpoints.time.monotonic", lambda: now[0]
    )
    steps = []

    class Noted:
        save = staticmethod(steps.append)

    callback = SaveRegularly(Noted, num_steps=5, minutes=1)
    callback.on_train_begin()
    # Begun after two steps of the second epoch.
    for epoch, first in ((1, 2), (2, 0)):
        callback.on_epoch_begin(epoch)
        for batch in range(first, 5):
            now[0] += 40
            callback.on_train_batch_end(batch)
        callback.on_epoch_end(epoch)
    # Step 9 is 80 s after the start; the end of an epoch starts the clock.
    assert steps == [9, 10, 12, 14, 15]
