"""What a trained system answers, whatever its stream."""

from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.data.pipeline import load_split
from emotion_nas_tf.data.sequence_batches import evaluation_order
from emotion_nas_tf.data.sequences import load_sequences
from emotion_nas_tf.evaluation.comparators import comparator_probabilities
from emotion_nas_tf.evaluation.predicting import (
    ROWS,
    check_trained_on,
    predict_probabilities,
    probabilities_of,
)
from emotion_nas_tf.networks.fusion_system import join, load_fusion
from emotion_nas_tf.networks.system import load_system
from emotion_nas_tf.recurrent.system import (
    check_sequences,
    load_recurrent_system,
)
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.systems import (
    COMPARATORS,
    FUSION,
    RECURRENT,
    SPECTROGRAM,
    SYSTEMS,
)
from tfrecords_builder.records import RecordsManifest, check_fingerprint

# (directory, system, records_dir, manifest, indices) -> (n, K)
Answer = Callable[
    [FoldDirectory, str, Path, RecordsManifest, Sequence[int]], np.ndarray
]


def system_probabilities(
    directory: FoldDirectory,
    system: str,
    records_dir: Path,
    manifest: RecordsManifest,
    indices: Sequence[int],
    known: MutableMapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """A trained system's answers on any utterances of the records.

    Args:
      directory: the test's folder.
      system: one of `systems.SYSTEMS`.
      records_dir: of the manifest.
      manifest: the records.
      indices: which of `manifest.entries`, in the order of the result.
      known: answers on these very utterances by system, which are not asked
        for again; new ones are added. A fusion asks those it joins.

    Returns:
      (n, K) float64 probabilities.

    Raises:
      UsageError: when the system is not there, or was trained on other
        records.
      WorkError: when its weights are damaged, or an answer is not a finite
        number.
    """
    known = {} if known is None else known
    if system not in known:
        stream = SYSTEMS[system].stream
        asked = (directory, system, records_dir, manifest, indices)
        known[system] = (
            _fusion(*asked, known)
            if stream == FUSION
            else _ANSWERS[stream](*asked)
        )
    return known[system]


def _fusion(directory, system, records_dir, manifest, indices, known):
    network, info = load_fusion(directory, system)
    owner = f"the system {system} in {directory.path}"
    check_trained_on(manifest, info, owner)
    streams = [
        system_probabilities(
            directory, name, records_dir, manifest, indices, known
        )
        for name in info.fused
    ]
    return join(network, info, streams)


def _spectrogram(directory, system, records_dir, manifest, indices):
    model, info = load_system(directory, system)
    owner = f"the system {system} in {directory.path}"
    check_fingerprint(manifest, info.fingerprint, owner)
    check_trained_on(manifest, info, owner)
    split = load_split(records_dir, manifest, indices)
    return predict_probabilities(model, split.features)


def _recurrent(directory, system, records_dir, manifest, indices):
    network, info = load_recurrent_system(directory, system)
    owner = f"the system {system} in {directory.path}"
    check_sequences(manifest, info, owner)
    check_trained_on(manifest, info, owner)
    sequences = load_sequences(records_dir, manifest, indices)
    logits = np.empty((len(sequences.ids), len(info.label_names)), np.float32)
    for batch in evaluation_order(sequences, ROWS):
        # Always as many rows: the network compiles for their number.
        rows = np.resize(batch, ROWS)
        features = sequences.padded(rows, info.num_frames)
        answers = network((features, sequences.lengths[rows]), training=False)
        logits[batch] = answers[: len(batch)]
    return probabilities_of(logits)


_ANSWERS: dict[str, Answer] = {
    SPECTROGRAM: _spectrogram,
    RECURRENT: _recurrent,
    COMPARATORS: comparator_probabilities,
}
