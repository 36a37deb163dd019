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


def classify_in_fresh_process(
    model: Path, waveforms: Sequence[np.ndarray]
) -> np.ndarray:
    """Loads `model` elsewhere and asks it about each waveform.

    Args:
      model: folder of the SavedModel.
      waveforms: n vectors of samples, of any lengths.

    Returns:
      (n, K) probabilities.

    Raises:
      RuntimeError: when that process fails; the message is its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder, "in.npz"), Path(folder, "out.npy")
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
        return np.load(answers)


def _answer(model: str, questions: str, answers: str) -> None:
    import tensorflow as tf

    serve = tf.saved_model.load(model).signatures["serving_default"]
    with np.load(questions) as waveforms:
        probabilities = [
            serve(waveform=tf.constant(waveforms[name][None]))[
                "probabilities"
            ].numpy()
            for name in waveforms.files
        ]
    np.save(answers, np.concatenate(probabilities))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
