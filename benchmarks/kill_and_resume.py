"""Does a killed run end with the same bits? Kills one, and compares.

    python -m benchmarks.kill_and_resume [--kills=3] [--seed=0] \\
        search --fold=2 --test_speaker=first --search_epochs=3 ...

Runs `emotion_nas_tf.search` (or `train`, `run`) twice with the flags given and
with --deterministic, into two temporary folders: once whole, once killed by
SIGKILL at random moments and started again with the same command. Prints what
was killed when, then the SHA-256 of all that the two left behind, side by
side; exits with 1 when one differs. Wall time is the only thing that may.
"""

import argparse
import csv
import hashlib
import math
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf

# Columns of history.csv that say how long something took.
WALL_TIME = ("seconds", "input_wait")


def checksums(run_dir: Path) -> dict[str, str]:
    """SHA-256 of everything in a run that must not depend on a kill."""
    found = {}
    for path in sorted(run_dir.rglob("*")):
        name = str(path.relative_to(run_dir))
        if path.suffix == ".json" and path.parent != run_dir:
            found[name] = _digest(path.read_bytes())
        elif path.name == "history.csv":
            found[name] = _history(path)
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                found[name] = _tensors({n: arrays[n] for n in arrays.files})
        elif path.suffix == ".h5" and path.parent.name != "checkpoints":
            found[name] = _weights(path)
        elif path.name == "checkpoints":
            for group, digest in _last_state(path).items():
                found[f"{name}: {group}"] = digest
    return found


def run(command: list[str], kill_after: float = math.inf) -> bool:
    """Starts a command and kills it after some seconds.

    Returns:
      Whether it was killed: False when it ended before, in success.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _, errors = process.communicate(timeout=min(kill_after, 1e6))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode:
        raise RuntimeError(f"{command}: {errors.decode()}")
    return False


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tensors(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _history(path: Path) -> str:
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            {name: v for name, v in row.items() if name not in WALL_TIME}
            for row in csv.DictReader(file)
        ]
    return _digest(repr(rows).encode())


def _weights(path: Path) -> str:
    arrays = {}

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(note)
    return _tensors(arrays)


def _last_state(folder: Path) -> dict[str, str]:
    """Of network, optimisers and metrics in the last checkpoint."""
    last = max(folder.glob("ckpt-*.index"), key=lambda path: int(path.stem[5:]))
    reader = tf.train.load_checkpoint(str(last.with_suffix("")))
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name in reader.get_variable_to_shape_map():
        # The rest names Python's objects, in no fixed order.
        if name.endswith("VARIABLE_VALUE"):
            group = groups.setdefault(name.split("/")[0], {})
            group[name] = reader.get_tensor(name)
    return {
        f"state of {group}": _tensors(arrays)
        for group, arrays in sorted(groups.items())
    } | {"steps": last.stem[5:]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("program", choices=("search", "train", "run"))
    arguments, flags = parser.parse_known_args()
    generator = random.Random(arguments.seed)

    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"

        def command(run_dir: Path) -> list[str]:
            return [
                *(sys.executable, "-m", f"emotion_nas_tf.{arguments.program}"),
                *(*flags, "--deterministic", f"--run_dir={run_dir}"),
            ]

        print(" ".join(command(Path("RUN_DIR"))), flush=True)
        start = time.monotonic()
        run(command(whole))
        seconds = time.monotonic() - start
        print(f"whole: {seconds:.1f} s", flush=True)
        for _ in range(arguments.kills):
            moment = generator.uniform(0, seconds)
            start = time.monotonic()
            was_killed = run(command(killed), moment)
            states = sorted(
                f"{path.parent.parent.name} {path.stem}"
                for path in killed.rglob("ckpt-*.index")
            )
            print(
                f"{'killed' if was_killed else 'at its end'} after "
                f"{time.monotonic() - start:.1f} s; on disk: "
                f"{', '.join(states) or 'no state'}",
                flush=True,
            )
        run(command(killed))
        one, other = checksums(whole), checksums(killed)
    for name in sorted({*one, *other}):
        first, second = one.get(name, "none"), other.get(name, "none")
        verdict = "same" if first == second else "DIFFERENT"
        print(f"{first[:16]} {second[:16]} {verdict:9} {name}")
    sys.exit(one != other)


if __name__ == "__main__":
    main()
