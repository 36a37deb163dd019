"""Programs killed at chosen moments, started again, compared bit by bit.

A program is killed from within, by a hook that Python calls before it opens
or renames a file: watched from outside, the moment would be missed on a busy
machine. A checkpoint is cut short by a limit on the size of files, at which
the system kills whoever writes.
"""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.run_checksums import checksums

# The program as it is, but with one node a cell: the search network of four
# takes half a minute to trace.
PROGRAM = """
import os, resource, signal, sys

name, event, path, count = sys.argv[1].split("|")
del sys.argv[1]
seen = 0

def hook(kind, arguments):
    global seen
    if kind != event or path not in str(arguments[0]):
        return
    seen += 1
    if seen < int(count):
        return
    if path == "ckpt-1.":
        # The next checkpoint will be cut.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    else:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)

import importlib
from emotion_nas_tf.config import NetworkConfig
from flags import network_flags
from tfrecords_builder import program
network_flags.network_config = lambda: NetworkConfig(3, 2, 1)
program.run(importlib.import_module(f"emotion_nas_tf.{name}").main)
"""
NEVER = "never||1"
# Step 1 of 4 in epoch 1 has been saved: the state of step 2 is cut.
WHILE_WRITING = "open|ckpt-1.|1"
FOLDER = "fold_1/test_a/spectrogram"


def start(program, records, run_dir, moment, *flags):
    return subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, f"{program}|{moment}"),
            *("--fold=1", "--test_speaker=first", "--batch_size=8"),
            *("--deterministic", "--checkpoint_minutes=0"),
            *(f"--records_dir={records}", f"--run_dir={run_dir}", *flags),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def killed_and_whole(tmp_path, program, records, moments, *flags):
    """Checksums of a run killed at these moments, and of a whole one."""

    def finished(run_dir):
        process = start(program, records, run_dir, NEVER, *flags)
        assert process.returncode == 0, process.stderr
        return checksums(run_dir)

    def killed():
        for moment in moments:
            process = start(
                program, records, tmp_path / "killed", moment, *flags
            )
            expected = (
                signal.SIGXFSZ if moment == WHILE_WRITING else signal.SIGKILL
            )
            assert process.returncode == -expected, process.stderr
        return finished(tmp_path / "killed")

    with ThreadPoolExecutor() as pool:
        jobs = (
            pool.submit(killed),
            pool.submit(finished, tmp_path / "whole"),
        )
        return [job.result() for job in jobs]


def test_killed_search_ends_with_the_same_bits(small_records, tmp_path):
    killed, whole = killed_and_whole(
        *(tmp_path, "search", small_records),
        [
            WHILE_WRITING,
            # The last checkpoint and the genotype are written.
            "os.rename|.final.weights.h5.part|1",
        ],
        "--search_epochs=3",
    )
    assert killed == whole
    assert whole[f"{FOLDER}/checkpoints: steps"] == "12"
    for name in (
        *("genotype.json", "network.json", "history.csv", "alphas.npz"),
        *("network.weights.h5", "final.weights.h5"),
        *("checkpoints: state of network", "checkpoints: state of weights"),
        "checkpoints: state of architecture",
    ):
        assert f"{FOLDER}/{name}" in whole


def test_killed_training_ends_with_the_same_bits(small_records, tmp_path):
    killed, whole = killed_and_whole(
        *(tmp_path, "train", small_records),
        # The second epoch's best weights are written, its row is not.
        ["os.rename|.history.csv.part|2"],
        *("--systems=random_cell", "--train_epochs=3"),
    )
    assert killed == whole
    for name in ("network.weights.h5", "checkpoints: state of weights"):
        assert f"{FOLDER}/random_cell/{name}" in whole
