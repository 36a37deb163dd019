"""Asks a SavedModel in a process that knows nothing but TensorFlow.

What only works because this process still holds the network, its layers'
classes or its variables shows here, before somebody serves the model.

This file is also the script of that process, so it imports nothing of the
project.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

# Ways of asking: each waveform by itself, and all in one padded batch.
WAYS = ("alone", "together")


def ask_in_fresh_process(
    model: Path, waveforms: Sequence[np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """Loads `model` elsewhere and asks it about each waveform.

    Args:
      model: folder of the SavedModel.
      waveforms: n vectors of samples, of any lengths.

    Returns:
      For each of `WAYS`, for each output of the model, (n, K) probabilities.

    Raises:
      RuntimeError: when that process fails; the message is its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(questions, *waveforms)
        process = subprocess.run(
            [sys.executable, __file__, str(model), questions, answers],
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            lines = process.stderr.strip().splitlines() or ["no message"]
            raise RuntimeError(lines[-1])
        received: dict[str, dict[str, np.ndarray]] = {way: {} for way in WAYS}
        with np.load(answers) as arrays:
            for key in arrays.files:
                way, _, name = key.partition("/")
                received[way][name] = arrays[key]
    return received


def _answer(model: str, questions: str, answers: str) -> None:
    import tensorflow as tf

    signatures = tf.saved_model.load(model).signatures
    serve, serve_padded = (
        signatures[name] for name in ("serving_default", "padded")
    )
    with np.load(questions) as arrays:
        waveforms = [arrays[name] for name in arrays.files]
    alone = [serve(waveform=tf.constant(each[None])) for each in waveforms]
    lengths = np.array([len(each) for each in waveforms], np.int32)
    # Padded with noise: nothing may depend on it.
    batch = np.random.default_rng(0).uniform(
        -1, 1, (len(waveforms), lengths.max())
    )
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    together = serve_padded(
        waveform=tf.constant(batch, tf.float32),
        num_samples=tf.constant(lengths),
    )
    np.savez(
        answers,
        **{
            f"alone/{name}": np.concatenate([each[name] for each in alone])
            for name in alone[0]
        },
        **{f"together/{name}": value for name, value in together.items()},
    )


if __name__ == "__main__":
    _answer(*sys.argv[1:])
