"""What the comparators answer."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from emotion_nas_tf.data.pipeline import load_split
from emotion_nas_tf.evaluation.predicting import (
    check_trained_on,
    predict_probabilities,
)
from emotion_nas_tf.networks.baselines.cnn import build_cnn
from emotion_nas_tf.networks.baselines.info import (
    ComparatorInfo,
    load_comparator_info,
)
from emotion_nas_tf.networks.baselines.linear import load_linear_machine
from emotion_nas_tf.networks.ensemble import load_members
from emotion_nas_tf.networks.system import WEIGHTS_NAME, load_weights
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.training.comparators import MACHINE_NAME, functionals_dir
from tfrecords_builder.features.functionals import Functionals
from tfrecords_builder.records import RecordsManifest, check_fingerprint


def comparator_probabilities(
    directory: FoldDirectory,
    system: str,
    records_dir: Path,
    manifest: RecordsManifest,
    indices: Sequence[int],
) -> np.ndarray:
    """A comparator's answers.

    Those of the majority are the classes' shares among the training speakers.
    A support vector machine has no probabilities: they are the softmax of its
    scores, votes of one class against another, and rank the classes as it
    does; how sure they sound means nothing before they are calibrated.

    Args:
      directory: the test's folder.
      system: `majority`, `cnn` or `opensmile_svm`.
      records_dir: of the manifest.
      manifest: the records.
      indices: which of `manifest.entries`.

    Returns:
      (n, K) float64.

    Raises:
      UsageError: when the comparator is not there, or was trained on other
        records; when openSMILE has to hear an utterance and cannot.
      WorkError: when its weights are damaged, or an answer is not finite.
    """
    folder = directory.system(system)
    info = load_comparator_info(folder, system)
    owner = f"the system {system} in {directory.path}"
    check_fingerprint(manifest, info.fingerprint, owner)
    check_trained_on(manifest, info, owner)
    if system == "majority":
        return np.tile(info.settings["shares"], (len(indices), 1))
    if system == "opensmile_svm":
        functionals = Functionals(
            functionals_dir(directory), info.settings["opensmile"]
        )
        features = functionals.of([manifest.entries[i] for i in indices])
        machine = load_linear_machine(folder / MACHINE_NAME)
        return softmax(machine.scores(features), axis=1)
    network = load_members(folder, info, _load_cnn)
    split = load_split(records_dir, manifest, indices)
    return predict_probabilities(network, split.features)


def _load_cnn(folder: Path) -> tuple[keras.Model, ComparatorInfo]:
    """A single network, and what it is."""
    info = load_comparator_info(folder, "cnn")
    network = build_cnn(
        info.settings["width"],
        len(info.label_names),
        tuple(info.settings["input_shape"]),
    )
    load_weights(network, folder / WEIGHTS_NAME)
    return network, info
