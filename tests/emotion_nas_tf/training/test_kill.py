"""Programs killed at chosen moments, started again, compared bit by bit."""

import functools
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.kill_and_resume import checksums, kill_when
from emotion_nas_tf.training.callbacks import read_history

# The program as it is, but with two nodes a cell: the search network of four
# takes half a minute to trace.
SMALL_PROGRAM = """
from emotion_nas_tf import {program}
from emotion_nas_tf.config import NetworkConfig
from flags import network_flags
from tfrecords_builder import program
network_flags.network_config = lambda: NetworkConfig(3, 2, 2)
program.run({program}.main)
"""
EPOCHS = 3


def command(program, records, run_dir, *flags):
    return [
        *(sys.executable, "-c", SMALL_PROGRAM.format(program=program)),
        *("--fold=1", "--test_speaker=first", "--batch_size=8"),
        *("--deterministic", "--checkpoint_minutes=0"),
        *(f"--records_dir={records}", f"--run_dir={run_dir}", *flags),
    ]


def in_first_epoch_while_writing(folder):
    """A checkpoint is there, and a part of the next one."""
    states = folder / "checkpoints"
    return (states / "ckpt-2.index").is_file() and any(
        states.glob("ckpt-*_temp*")
    )


def epochs_written(number):
    """The row of an epoch is there; figures and checkpoint are to come."""
    return lambda folder: (
        len(read_history(folder / "history.csv")) == number
        and not (folder / "checkpoints" / f"ckpt-{4 * number}.index").exists()
    )


def genotype_written(folder):
    """The last checkpoint is there; weights and `network.json` are not."""
    return (folder / "genotype.json").is_file()


def killed_and_whole(tmp_path, folder, moments, command_of):
    """Checksums of a run killed at these moments, and of a whole one."""

    def run_killed():
        killed = tmp_path / "killed"
        for moment in moments:
            reached = functools.partial(moment, killed / folder)
            assert kill_when(command_of(killed), reached)
        assert not kill_when(command_of(killed), lambda: False)
        return checksums(killed)

    def run_whole():
        assert not kill_when(command_of(tmp_path / "whole"), lambda: False)
        return checksums(tmp_path / "whole")

    with ThreadPoolExecutor() as pool:
        jobs = pool.submit(run_killed), pool.submit(run_whole)
        return [job.result() for job in jobs]


def test_killed_search_ends_with_the_same_bits(small_records, tmp_path):
    killed, whole = killed_and_whole(
        tmp_path,
        "fold_1/test_a/spectrogram",
        [in_first_epoch_while_writing, epochs_written(2), genotype_written],
        lambda run_dir: command(
            "search", small_records, run_dir, f"--search_epochs={EPOCHS}"
        ),
    )
    assert killed == whole
    folder = "fold_1/test_a/spectrogram"
    assert whole[f"{folder}/checkpoints: steps"] == str(4 * EPOCHS)
    for name in (
        *("genotype.json", "network.json", "history.csv", "alphas.npz"),
        *("network.weights.h5", "final.weights.h5"),
        *("checkpoints: state of network", "checkpoints: state of weights"),
        "checkpoints: state of architecture",
    ):
        assert f"{folder}/{name}" in whole


def test_killed_training_ends_with_the_same_bits(small_records, tmp_path):
    folder = "fold_1/test_a/spectrogram/random_cell"
    killed, whole = killed_and_whole(
        tmp_path,
        folder,
        [in_first_epoch_while_writing, epochs_written(2)],
        lambda run_dir: command(
            *("train", small_records, run_dir),
            *("--systems=random_cell", f"--train_epochs={EPOCHS}"),
        ),
    )
    assert killed == whole
    for name in ("network.weights.h5", "checkpoints: state of weights"):
        assert f"{folder}/{name}" in whole
