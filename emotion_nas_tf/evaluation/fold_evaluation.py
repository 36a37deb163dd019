"""Tests the systems of one fold on its untouched test speaker."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.answers import system_probabilities
from emotion_nas_tf.evaluation.answers_on_disk import COLUMNS, rows_by_system
from emotion_nas_tf.evaluation.calibration import describe_calibration
from emotion_nas_tf.networks.system import has_system
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import SPECTROGRAM, SYSTEMS
from emotion_nas_tf.training.metrics import confusion_matrix
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, replacing, write_json
from tfrecords_builder.records import (
    RecordEntry,
    RecordsManifest,
    load_manifest,
    verify_shards,
)


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
      records_dir: the records that the networks were trained on.
      run_dir: the run.
      fold: the test, one of `make_folds`.
      systems: names from `SYSTEMS`; empty for all that exist.

    Returns:
      The content of `metrics.json`.

    Raises:
      UsageError: when a system asked for does not exist, none exists, or one
        was trained on other records; when a file of an earlier evaluation is
        damaged.
      WorkError: when a network's answer is not a finite number.
    """
    manifest = load_manifest(records_dir)
    verify_shards(records_dir, manifest)
    directory = RunDirectory(Path(run_dir)).test(fold.number, fold.test_speaker)
    systems = _existing(directory, systems)
    rows = _kept_rows(directory, manifest, fold, systems)
    known = results.read_metrics(directory) if rows else None
    described = {name: known["systems"][name] for name in rows}
    answers: dict[str, np.ndarray] = {}
    for name in systems:
        rows[name], described[name] = _evaluate(
            directory, name, records_dir, manifest, fold, answers
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
        "records": manifest.digest,
        **_sequence(manifest),
        "systems": {name: described[name] for name in order},
    }
    _write_predictions(
        directory.predictions,
        manifest.label_names,
        [row for name in order for row in rows[name]],
    )
    write_json(directory.metrics, content)
    return content


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
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    answers: dict[str, np.ndarray],
) -> tuple[list[list], dict]:
    """The system's rows of `predictions.csv` and its metrics."""
    indices = (*fold.test, *fold.validation)
    probabilities = system_probabilities(
        directory, name, records_dir, manifest, indices, answers
    )
    truth = np.array([manifest.entries[index].label for index in indices])
    number = len(fold.test)
    # The validation speaker's answers serve the temperature alone.
    calibration = describe_calibration(
        probabilities[:number],
        truth[:number],
        probabilities[number:],
        truth[number:],
    )
    probabilities, truth = probabilities[:number], truth[:number]
    predicted = probabilities.argmax(axis=1)
    labels = manifest.label_names
    rows = [
        [
            name,
            entry.id,
            entry.speaker,
            labels[entry.label],
            labels[answer],
            *(f"{value:.6f}" for value in row),
        ]
        for entry, answer, row in zip(
            _entries(manifest, fold), predicted, probabilities, strict=True
        )
    ]
    matrix = confusion_matrix(truth, predicted, len(labels))
    info = read_json(directory.info(name))
    return rows, {
        **results.describe_matrix(matrix, labels),
        "validation_ua": info["validation_ua"],
        "parameters": info["parameters"],
        **({"features": info["features"]} if "features" in info else {}),
        "calibration": calibration,
    }


def _entries(manifest: RecordsManifest, fold: Fold) -> list[RecordEntry]:
    return [manifest.entries[index] for index in fold.test]


def _kept_rows(
    directory: FoldDirectory,
    manifest: RecordsManifest,
    fold: Fold,
    systems: Sequence[str],
) -> dict[str, list[list]]:
    """Rows of an earlier evaluation that are still true, by system."""
    known = results.read_metrics(directory)
    if (
        known is None
        or not directory.predictions.is_file()
        or known["fingerprint"] != manifest.fingerprint
        or known["label_names"] != list(manifest.label_names)
        # Metrics from before they named their records have none.
        or known.get("records", manifest.digest) != manifest.digest
    ):
        return {}
    # A fusion too has heard both.
    same_sequence = all(
        known.get(key) == value for key, value in _sequence(manifest).items()
    )
    ids = [entry.id for entry in _entries(manifest, fold)]
    header = _header(manifest.label_names)
    rows = rows_by_system(directory.predictions)
    return {
        name: [[row[column] for column in header] for row in of_system]
        for name, of_system in rows.items()
        if name not in systems
        and name in known["systems"]
        and name in SYSTEMS
        and _is_measured(directory, name)
        and (SYSTEMS[name].stream == SPECTROGRAM or same_sequence)
        and [row["id"] for row in of_system] == ids
        and all(set(header) <= set(row) for row in of_system)
    }


def _sequence(manifest: RecordsManifest) -> dict[str, str | None]:
    """Which features over time the records have."""
    sequence = manifest.sequence
    return {
        "sequence_features": sequence and sequence.title,
        "sequence_fingerprint": sequence and sequence.fingerprint(),
    }


def _is_measured(directory: FoldDirectory, system: str) -> bool:
    """Whether `metrics.json` is of the network as it is now.

    A fusion is also what it joins.
    """
    info = directory.info(system)
    return (
        info.is_file()
        and info.stat().st_mtime <= directory.metrics.stat().st_mtime
        and all(
            _is_measured(directory, part)
            for part in read_json(info).get("fused", ())
        )
    )


def _header(label_names: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"p_{name}" for name in label_names)]


def _write_predictions(
    path: Path, label_names: Sequence[str], rows: Sequence[Sequence]
) -> None:
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_header(label_names))
        writer.writerows(rows)
