"""Utterances as points for TensorBoard's projector.

FOLDER/projector_config.pbtxt
FOLDER/embeddings.tsv      a point a line
FOLDER/metadata.tsv        its speaker, emotion, part and utterance
"""

from pathlib import Path

import numpy as np

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.pipeline import load_split
from emotion_nas_tf.data.sequences import load_sequences
from emotion_nas_tf.networks.system import load_system
from emotion_nas_tf.recurrent.system import load_recurrent_system
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.systems import SPECTROGRAM, SYSTEMS
from tfrecords_builder.files import replacing
from tfrecords_builder.records import RecordsManifest

_BATCH_SIZE = 32
_CONFIG = """embeddings {{
  tensor_name: "{title}"
  tensor_path: "embeddings.tsv"
  metadata_path: "metadata.tsv"
}}
"""


def write_embeddings(
    folder: Path,
    title: str,
    points: np.ndarray,
    manifest: RecordsManifest,
    fold: Fold,
) -> None:
    """Writes every utterance's point, with what it may be coloured by.

    Args:
      folder: of the event files that the projector stands beside.
      title: of the embedding.
      points: (utterances of the records, size).
      manifest: the records.
      fold: who trains, validates and tests.
    """
    parts = {
        fold.validation_speaker: "validation",
        fold.test_speaker: "test",
    }
    rows = ["speaker\temotion\tpart\tutterance"]
    rows += [
        "\t".join(
            [
                entry.speaker,
                manifest.label_names[entry.label],
                parts.get(entry.speaker, "training"),
                entry.id,
            ]
        )
        for entry in manifest.entries
    ]
    _write(folder / "metadata.tsv", "\n".join(rows) + "\n")
    lines = ("\t".join(f"{x:.6g}" for x in point) for point in points)
    _write(folder / "embeddings.tsv", "\n".join(lines) + "\n")
    config = _CONFIG.format(title=title.replace('"', "'"))
    _write(folder / "projector_config.pbtxt", config)


def embed(
    records_dir: Path,
    manifest: RecordsManifest,
    directory: FoldDirectory,
    system: str,
) -> np.ndarray:
    """(utterances of the records, size): what a network's classifier reads.

    Args:
      records_dir: the folder of `manifest`.
      manifest: the records.
      directory: the test's folder.
      system: one of the spectrogram's or the recurrent stream's networks.
    """
    everything = range(len(manifest.entries))
    if SYSTEMS[system].stream == SPECTROGRAM:
        model, _ = load_system(directory, system)
        split = load_split(records_dir, manifest, everything)
        return np.concatenate(
            [
                model.embed(split.features[batch])
                for batch in _batches(np.array(everything))
            ]
        )
    network, info = load_recurrent_system(directory, system)
    sequences = load_sequences(records_dir, manifest, everything)
    # Utterances of like length together: padding costs time.
    order = np.argsort(sequences.lengths, kind="stable")
    points = [
        network.embed(
            (
                sequences.padded(batch, info.num_frames),
                sequences.lengths[batch],
            )
        )
        for batch in _batches(order)
    ]
    return np.concatenate(points)[np.argsort(order)]


def _batches(indices: np.ndarray) -> list[np.ndarray]:
    return [
        indices[start : start + _BATCH_SIZE]
        for start in range(0, len(indices), _BATCH_SIZE)
    ]


def _write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
