"""Tests the networks of one fold on its untouched test speaker."""

import csv
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from scipy.special import softmax

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.pipeline import Split, load_split
from emotion_nas_tf.evaluation import results
from emotion_nas_tf.networks.system import has_system, load_system
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training.metrics import confusion_matrix
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import replacing, write_json
from tfrecords_builder.records import (
    RecordsManifest,
    check_fingerprint,
    load_manifest,
    verify_shards,
)

_BATCH_SIZE = 32


def evaluate_fold(
    records_dir: Path,
    run_dir: Path,
    fold: Fold,
    systems: Sequence[str] = (),
) -> dict:
    """Evaluates a test and writes its `predictions.csv` and `metrics.json`.

    Results of systems that are not asked for are kept, as long as they are of
    the same test utterances and of the networks that are there.

    Args:
      records_dir: records of the front end the networks were trained with.
      run_dir: the run.
      fold: the test, one of `make_folds`.
      systems: names from `SYSTEMS`; empty for all that exist.

    Returns:
      The content of `metrics.json`.

    Raises:
      UsageError: when a system asked for does not exist, none exists, or the
        records are of another front end or of other classes.
      WorkError: when a network's answer is not a finite number.
    """
    manifest = load_manifest(records_dir)
    verify_shards(records_dir, manifest)
    directory = RunDirectory(Path(run_dir)).test(fold.number, fold.test_speaker)
    systems = _existing(directory, systems)
    split = load_split(records_dir, manifest, fold.test)
    rows = _kept_rows(directory, manifest, split, systems)
    known = results.read_metrics(directory) if rows else None
    described = {name: known["systems"][name] for name in rows}
    for name in systems:
        rows[name], described[name] = _evaluate(
            directory, name, manifest, split
        )
    order = [name for name in SYSTEMS if name in described]
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": fold.number,
        "session": fold.session,
        "test_speaker": fold.test_speaker,
        "validation_speaker": fold.validation_speaker,
        "label_names": list(manifest.label_names),
        "chance": 1 / len(manifest.label_names),
        "fingerprint": manifest.fingerprint,
        "systems": {name: described[name] for name in order},
    }
    _write_predictions(
        directory.predictions,
        manifest.label_names,
        [row for name in order for row in rows[name]],
    )
    write_json(directory.metrics, content)
    return content


def predict_probabilities(
    model: keras.Model, features: np.ndarray
) -> np.ndarray:
    """(n, 140, 140, 1) features to (n, K) probabilities.

    Raises:
      WorkError: when the network's answer is not finite.
    """
    # Not `model.predict`: a test is a few batches, and tracing a search network
    # takes longer than running it.
    logits = np.concatenate(
        [
            model(features[start : start + _BATCH_SIZE], training=False)
            for start in range(0, len(features), _BATCH_SIZE)
        ]
    )
    if not np.isfinite(logits).all():
        raise WorkError(
            "The network's answer holds NaN or infinity: its training "
            "diverged. Train it again with a lower learning rate."
        )
    return softmax(logits.astype(np.float64), axis=1)


def _existing(
    directory: FoldDirectory, systems: Sequence[str]
) -> tuple[str, ...]:
    unknown = [name for name in systems if name not in SYSTEMS]
    if unknown:
        raise UsageError(
            f"Unknown system {', '.join(unknown)}; known are "
            f"{', '.join(SYSTEMS)}."
        )
    wanted = systems or tuple(SYSTEMS)
    found = tuple(name for name in wanted if has_system(directory, name))
    missing = [name for name in systems if name not in found]
    if missing or not found:
        what = ", ".join(missing) or "any trained system"
        programs = dict.fromkeys(SYSTEMS[n].program for n in missing or wanted)
        commands = " or ".join(f"`python -m {each}`" for each in programs)
        raise UsageError(
            f"{directory.path} does not hold {what}. {commands} with the same "
            "--run_dir and --fold makes it, `python -m emotion_nas_tf.run` "
            "all."
        )
    return found


def _evaluate(
    directory: FoldDirectory,
    name: str,
    manifest: RecordsManifest,
    split: Split,
) -> tuple[list[list], dict]:
    """The system's rows of `predictions.csv` and its metrics."""
    model, info = load_system(directory, name)
    check_fingerprint(
        manifest, info.fingerprint, f"the system {name} in {directory.path}"
    )
    if tuple(info.label_names) != tuple(manifest.label_names):
        raise UsageError(
            f"The system {name} in {directory.path} knows the classes "
            f"{', '.join(info.label_names)}, the records have "
            f"{', '.join(manifest.label_names)}. Use the records it was "
            "trained with."
        )
    probabilities = predict_probabilities(model, split.features)
    predicted = probabilities.argmax(axis=1)
    labels = manifest.label_names
    rows = [
        [
            name,
            split.ids[index],
            split.speakers[index],
            labels[split.labels[index]],
            labels[predicted[index]],
            *(f"{value:.6f}" for value in probabilities[index]),
        ]
        for index in range(len(split.ids))
    ]
    matrix = confusion_matrix(split.labels, predicted, len(labels))
    return rows, {
        **results.describe_matrix(matrix, labels),
        "validation_ua": info.validation_ua,
        "parameters": info.parameters,
    }


def _kept_rows(
    directory: FoldDirectory,
    manifest: RecordsManifest,
    split: Split,
    systems: Sequence[str],
) -> dict[str, list[list]]:
    """Rows of an earlier evaluation that are still true, by system."""
    known = results.read_metrics(directory)
    if (
        known is None
        or not directory.predictions.is_file()
        or known["fingerprint"] != manifest.fingerprint
        or known["label_names"] != list(manifest.label_names)
    ):
        return {}
    rows: dict[str, list[list]] = {}
    with directory.predictions.open(newline="", encoding="utf-8") as file:
        for row in list(csv.reader(file))[1:]:
            rows.setdefault(row[0], []).append(row)
    return {
        name: of_system
        for name, of_system in rows.items()
        if name not in systems
        and name in known["systems"]
        and _is_measured(directory, name)
        and tuple(row[1] for row in of_system) == split.ids
    }


def _is_measured(directory: FoldDirectory, system: str) -> bool:
    """Whether `metrics.json` is of the network as it is now."""
    info = directory.info(system)
    return (
        info.is_file()
        and info.stat().st_mtime <= directory.metrics.stat().st_mtime
    )


def _write_predictions(
    path: Path, label_names: Sequence[str], rows: Sequence[Sequence]
) -> None:
    header = ["system", "id", "speaker", "label", "predicted"]
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, *(f"p_{name}" for name in label_names)])
        writer.writerows(rows)
