"""Results: the metrics of a test, of a run, and the table people read.

    fold_2/test_08/predictions.csv, metrics.json     one test
    results.json                                     all tests of the run

Pure: no TensorFlow. The same metrics give the same bytes.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.evaluation import calibration, statistics, tables
from emotion_nas_tf.evaluation.comparisons import compare_systems
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training import metrics
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import write_json
from tfrecords_builder.utterance import natural_key

SCHEMA_VERSION = 1
# Who of the held-out session's two speakers is tested.
DIRECTIONS = ("first", "second")
percent = tables.percent
# What every metrics file has.
_KEYS = {
    "fold": int,
    "test_speaker": str,
    "validation_speaker": str,
    "label_names": list,
    "fingerprint": str,
    "systems": dict,
}
_EVALUATE = "python -m emotion_nas_tf.evaluate --run_dir={} --fold=NUMBER"


def describe_matrix(matrix: np.ndarray, label_names: Sequence[str]) -> dict:
    """All metrics of a confusion matrix, as JSON values.

    Args:
      matrix: (K, K) counts; rows are the truth.
      label_names: the K classes.

    Returns:
      `ua`, `wa`, `macro_f1`, `recalls` by label (None for a class without
      true examples), `num_examples`, `confusion_matrix` and 95 %
      `intervals`: by `utterances` and metric, None where there is none.
    """
    return {
        "ua": _number(metrics.unweighted_accuracy(matrix)),
        "wa": _number(metrics.weighted_accuracy(matrix)),
        "macro_f1": _number(metrics.macro_f1(matrix)),
        "recalls": {
            name: _number(recall)
            for name, recall in zip(
                label_names, metrics.recalls(matrix), strict=True
            )
        },
        "num_examples": int(matrix.sum()),
        "confusion_matrix": matrix.tolist(),
        "intervals": statistics.pooled_intervals(np.asarray(matrix)[None]),
    }


def collect_results(run_directory: RunDirectory) -> dict:
    """Gathers every test of a run that has been evaluated.

    Returns:
      `label_names`, `chance`, `tests` (the content of every `metrics.json`, in
      the order of folds and speakers) and `summary`: for each system
      `num_tests`, the metrics of all predictions `pooled`, the `mean` of the
      tests' metrics, each with 95 % `intervals` by `speakers` and
      `utterances`, the pooled `calibration` (None where a test lacks it), and
      in `directions` the same of the tests of each of `DIRECTIONS` that there
      are; `resampling`, how intervals were made; `comparisons`, see
      `compare_systems`.

    Raises:
      UsageError: when the run does not exist, no test has been evaluated, or
        tests have different classes, features or records, or predictions do
        not fit the metrics.
    """
    if not run_directory.path.is_dir():
        raise UsageError(
            f"There is no run in {run_directory.path}. `python -m "
            "emotion_nas_tf.run` and `python -m emotion_nas_tf.search` make "
            "one; --run_dir names it."
        )
    paths = [
        test.metrics for test in run_directory.tests() if test.metrics.is_file()
    ]
    if not paths:
        raise UsageError(
            f"No test of the run {run_directory.path} has been evaluated. Run"
            f"\n  {_EVALUATE.format(run_directory.path)}"
        )
    tests = [_read(path) for path in paths]
    label_names = tests[0]["label_names"]
    for path, test in zip(paths, tests, strict=True):
        if test["label_names"] != label_names:
            raise UsageError(
                f"{path} has the classes {', '.join(test['label_names'])}, "
                f"{paths[0]} {', '.join(label_names)}: they cannot be pooled. "
                "Keep one run directory for one set of records."
            )
        if test["fingerprint"] != tests[0]["fingerprint"]:
            raise UsageError(
                f"{path} and {paths[0]} are of different front ends "
                f"(fingerprints {test['fingerprint'][:12]} and "
                f"{tests[0]['fingerprint'][:12]}): they cannot be pooled. "
                "Keep one run directory for one set of records."
            )
    _check_sequences(paths, tests)
    # Earlier metrics do not name their records.
    if len({test["records"] for test in tests if "records" in test}) > 1:
        raise UsageError(
            f"The tests of {run_directory.path} are of different records: they "
            "cannot be pooled. Keep one run directory for one set of records, "
            f"or evaluate them again:\n  {_EVALUATE.format(run_directory.path)}"
        )
    found = [s for s in SYSTEMS if any(s in t["systems"] for t in tests)]
    return {
        "schema_version": SCHEMA_VERSION,
        "label_names": label_names,
        "chance": 1 / len(label_names),
        "tests": tests,
        "summary": {
            system: _summarise(system, tests, label_names) for system in found
        },
        "resampling": {
            "confidence": statistics.CONFIDENCE,
            "resamples": statistics.RESAMPLES,
            "seed": statistics.SEED,
        },
        "comparisons": compare_systems(
            tests, [FoldDirectory(path.parent) for path in paths]
        ),
    }


def _check_sequences(paths: Sequence[Path], tests: Sequence[Mapping]) -> None:
    """Refuses tests that heard different features over time."""
    # Records without any, and metrics from before there were, name none.
    known = [
        (path, test)
        for path, test in zip(paths, tests, strict=True)
        if test.get("sequence_fingerprint")
    ]
    for path, test in known:
        first_path, first = known[0]
        if test["sequence_fingerprint"] != first["sequence_fingerprint"]:
            raise UsageError(
                f"{path} is of the features over time "
                f"{test['sequence_features']} "
                f"({test['sequence_fingerprint'][:12]}), {first_path} of "
                f"{first['sequence_features']} "
                f"({first['sequence_fingerprint'][:12]}): they cannot be "
                "pooled. Keep one run directory for one set of records."
            )


def write_results(run_directory: RunDirectory) -> dict:
    """Writes `results.json` anew and returns its content."""
    results = collect_results(run_directory)
    write_json(run_directory.results, results)
    return results


def read_metrics(directory: FoldDirectory) -> dict | None:
    """The test's `metrics.json`, or None when there is none."""
    return _read(directory.metrics) if directory.metrics.is_file() else None


def format_table(results: Mapping) -> str:
    """Every test and system, then all tests together, for a terminal."""
    parts = [tables.tests_table(results), tables.intervals_table(results)]
    if results["comparisons"]:
        parts.append(tables.comparisons_table(results["comparisons"]))
    return "\n\n".join([*parts, tables.legend(results)])


def _summarise(
    system: str, tests: Sequence[Mapping], label_names: Sequence[str]
) -> dict:
    everything, by_direction = [], {name: [] for name in DIRECTIONS}
    for test in tests:
        if system in test["systems"]:
            everything.append(test["systems"][system])
            by_direction[_direction(test)].append(test["systems"][system])
    return {
        **_pool(everything, label_names),
        "directions": {
            name: _pool(found, label_names)
            for name, found in by_direction.items()
            if found
        },
    }


def _direction(test: Mapping) -> str:
    """Which of the session's two speakers, in natural order, is tested."""
    speakers = (test["test_speaker"], test["validation_speaker"])
    is_first = speakers[0] == min(speakers, key=natural_key)
    return DIRECTIONS[0 if is_first else 1]


def _pool(tests: Sequence[Mapping], label_names: Sequence[str]) -> dict:
    # A test is a speaker.
    matrices = np.array([test["confusion_matrix"] for test in tests])
    pooled = describe_matrix(matrices.sum(axis=0), label_names)
    calibrations = [test.get("calibration") for test in tests]
    return {
        "num_tests": len(tests),
        "pooled": {
            **pooled,
            "intervals": statistics.pooled_intervals(matrices),
        },
        "mean": {
            **{
                key: _mean(test[key] for test in tests)
                for key in statistics.METRICS
            },
            "intervals": statistics.mean_intervals(matrices),
        },
        "calibration": calibration.pool_calibrations(calibrations)
        if all(calibrations)
        else None,
    }


def _read(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is damaged: it is not JSON ({error}). Delete it and "
            "evaluate again."
        ) from None
    if (
        not isinstance(content, dict)
        or content.get("schema_version") != SCHEMA_VERSION
    ):
        raise UsageError(
            f"{path} is not a metrics file of schema version "
            f"{SCHEMA_VERSION}. Delete it and evaluate again."
        )
    missing = [
        key
        for key, kind in _KEYS.items()
        if not isinstance(content.get(key), kind)
    ] or _lacking(content)
    if missing:
        raise UsageError(
            f"{path} is damaged: no {' and no '.join(missing)} as a metrics "
            "file has them. Delete it and evaluate again."
        )
    return content


def _lacking(content: dict) -> list[str]:
    """Metrics that a system lacks."""
    number = len(content["label_names"])
    lacking = []
    for name, described in content["systems"].items():
        try:
            matrix = np.array(described["confusion_matrix"], np.int64)
            fits = matrix.shape == (number, number)
            fits = fits and set(statistics.METRICS) <= set(described)
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            lacking.append(f"metrics of {name}")
    return lacking


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _number(value: float) -> float | None:
    # JSON has no NaN.
    return None if math.isnan(value) else float(value)
