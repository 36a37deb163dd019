"""What a run left behind, as checksums that two runs can be compared by."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

# Columns of history.csv that say how long something took.
WALL_TIME = ("seconds", "input_wait")


def checksums(run_dir: Path) -> dict[str, str]:
    """SHA-256 of everything in a run that must not depend on a kill.

    Not compared are the run's own files (paths are in them), TensorBoard's
    and the report (times are) and the exported graph, a function of the
    weights.
    """
    found = {}
    for path in sorted(run_dir.rglob("*")):
        name = str(path.relative_to(run_dir))
        if path.suffix == ".json" and path.parent != run_dir:
            found[name] = _digest(path.read_bytes())
        elif path.suffix == ".csv":
            found[name] = _digest(repr(rows_of(path)).encode())
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                found[name] = _tensors({n: arrays[n] for n in arrays.files})
        elif path.suffix == ".h5" and path.parent.name != "checkpoints":
            found[name] = _weights(path)
        elif path.name == "checkpoints":
            for group, digest in _last_state(path).items():
                found[f"{name}: {group}"] = digest
    return found


def last_step(states: Path) -> int:
    """Of the last state; 0 for none."""
    names = [path.stem.removeprefix("ckpt-") for path in _states(states)]
    return max((int(name) for name in names), default=0)


def _states(states: Path) -> Iterator[Path]:
    return states.glob("ckpt-*.index")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Of a CSV file, without what wall time decides; none without the file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {name: v for name, v in row.items() if name not in WALL_TIME}
            for row in csv.DictReader(file)
        ]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tensors(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


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
    import tensorflow as tf

    steps = last_step(folder)
    reader = tf.train.load_checkpoint(str(folder / f"ckpt-{steps}"))
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name in reader.get_variable_to_shape_map():
        # The rest names Python's objects, in no fixed order.
        if name.endswith("VARIABLE_VALUE"):
            group = groups.setdefault(name.split("/")[0], {})
            group[name] = reader.get_tensor(name)
    return {
        f"state of {group}": _tensors(arrays)
        for group, arrays in sorted(groups.items())
    } | {"steps": str(steps)}
