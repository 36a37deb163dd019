"""Several runs of one experiment, as with several seeds: mean and spread.

    seed 0   p(angry) .6 ─┐
    seed 1   p(angry) .3 ─┼─ mean .5: what an ensemble of the seeds answers
    seed 2   p(angry) .6 ─┘

Pure: no TensorFlow.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.config.several_runs import check_several
from emotion_nas_tf.evaluation import statistics
from emotion_nas_tf.evaluation.answers_on_disk import Answers, read_answers
from emotion_nas_tf.evaluation.results import collect_results
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training.metrics import confusion_matrix
from tfrecords_builder.errors import UsageError


def compare_runs(run_dirs: Sequence[Path]) -> dict:
    """Mean and spread over runs of every system's metrics.

    Args:
      run_dirs: runs with the same tests evaluated.

    Returns:
      `runs`, their folders; `tests`, (fold, test speaker) of each; `systems`:
      for each system that all runs have, `statistics.spread` by `pooled` or
      `mean` and metric, and there, as `ensemble`, the metric of the runs'
      averaged probabilities, None where a run's `predictions.csv` lacks them
      or is of other utterances;
      `left_out`: systems that some runs lack.

    Raises:
      UsageError: when a folder is named twice, holds no evaluated run, the
        runs have different tests, classes, features or records, or a
        `predictions.csv` is damaged.
    """
    paths = [Path(path) for path in run_dirs]
    check_several(paths)
    every = [collect_results(RunDirectory(path)) for path in paths]
    first = _subject(every[0])
    for path, results in zip(paths, every, strict=True):
        if _subject(results) != first or _differ(results, every[0]):
            raise UsageError(
                f"{path} and {paths[0]} have not evaluated the same tests on "
                f"the same features: {_describe(results)} there, "
                f"{_describe(every[0])} here. Only runs that differ in their "
                "seed, say, have a mean."
            )
    summaries = [results["summary"] for results in every]
    shared = [s for s in SYSTEMS if all(_tests(r, s) for r in every)]
    joined = _ensembles(paths, *_subject(every[0])[:2], shared)
    return {
        "runs": [str(path) for path in paths],
        "tests": first[0],
        "systems": {
            system: {
                block: {
                    metric: {
                        **statistics.spread(
                            [s[system][block][metric] for s in summaries]
                        ),
                        "ensemble": joined[system]
                        and joined[system][block][metric],
                    }
                    for metric in statistics.METRICS
                }
                for block in ("pooled", "mean")
            }
            for system in shared
        },
        "left_out": [
            s
            for s in SYSTEMS
            if s not in shared and any(s in of for of in summaries)
        ],
    }


def _tests(results: dict, system: str) -> bool:
    """Whether every test of the run has the system."""
    return all(system in test["systems"] for test in results["tests"])


def _ensembles(
    paths: Sequence[Path],
    tests: Sequence[tuple[int, str]],
    label_names: list[str],
    systems: Sequence[str],
) -> dict[str, dict | None]:
    """Metrics of the runs' averaged probabilities by system."""
    matrices = {system: [] for system in systems}
    for fold, speaker in tests:
        of_runs = [
            read_answers(
                RunDirectory(path).test(fold, speaker).predictions, label_names
            )
            for path in paths
        ]
        for system in systems:
            answers = [answers.get(system) for answers in of_runs]
            if None in answers or not _same_truth(answers):
                continue
            mean = np.mean([each.probabilities for each in answers], axis=0)
            matrices[system].append(
                confusion_matrix(
                    answers[0].labels, mean.argmax(1), len(label_names)
                )
            )
    return {
        system: _metrics(np.array(of_tests))
        if len(of_tests) == len(tests)
        else None
        for system, of_tests in matrices.items()
    }


def _same_truth(answers: Sequence[Answers]) -> bool:
    """Whether all are of the same utterances, with the same classes."""
    return len({(each.ids, *each.labels) for each in answers}) == 1


def _metrics(matrices: np.ndarray) -> dict[str, dict[str, float]]:
    """Pooled and mean metrics of (tests, K, K)."""
    return {
        block: {
            metric: float(reduce(measure))
            for metric, measure in statistics.METRICS.items()
        }
        for block, reduce in (
            ("pooled", lambda measure: measure(matrices.sum(0))),
            ("mean", lambda measure: np.mean(measure(matrices))),
        )
    }


def _subject(results: dict) -> tuple:
    tests = results["tests"]
    return (
        [[test["fold"], test["test_speaker"]] for test in tests],
        results["label_names"],
        tests[0]["fingerprint"],
    )


# What metrics name since they do; earlier ones had no such key.
_NOTED = {"sequence_fingerprint": "features over time", "records": "records"}


def _differ(results: dict, others: dict) -> bool:
    """Whether both name something else that their tests are of."""
    return any(
        key in test and key in other and test[key] != other[key]
        for test, other in zip(results["tests"], others["tests"], strict=True)
        for key in _NOTED
    )


def _describe(results: dict) -> str:
    tests, labels, fingerprint = _subject(results)
    names = ", ".join(f"fold {fold} {speaker}" for fold, speaker in tests)
    noted = {"front end": fingerprint}
    for key, title in _NOTED.items():
        noted[title] = results["tests"][0].get(key)
    marks = ", ".join(f"{t} {mark[:12]}" for t, mark in noted.items() if mark)
    return f"{names} ({', '.join(labels)}; {marks})"
