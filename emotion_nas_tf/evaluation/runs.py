"""Several runs of one experiment, as with several seeds: mean and spread.

Pure: no TensorFlow.
"""

from collections.abc import Sequence
from pathlib import Path

from emotion_nas_tf.evaluation import statistics
from emotion_nas_tf.evaluation.results import collect_results
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from tfrecords_builder.errors import UsageError


def compare_runs(run_dirs: Sequence[Path]) -> dict:
    """Mean and spread over runs of every system's metrics.

    Args:
      run_dirs: runs with the same tests evaluated.

    Returns:
      `runs`, their folders; `tests`, (fold, test speaker) of each; `systems`:
      for each system that all runs have, `statistics.spread` by `pooled` or
      `mean` and metric; `left_out`: systems that some runs lack.

    Raises:
      UsageError: when a folder is named twice, holds no evaluated run, or the
        runs have different tests, classes or front ends.
    """
    paths = [Path(path) for path in run_dirs]
    if len({path.resolve() for path in paths}) < len(paths) or len(paths) < 2:
        raise UsageError(
            "Name at least two runs, each once, e.g. "
            "--run_dirs=runs/seed0,runs/seed1. Received: "
            f"{','.join(map(str, paths)) or 'none'}"
        )
    every = [collect_results(RunDirectory(path)) for path in paths]
    first = _subject(every[0])
    for path, results in zip(paths, every, strict=True):
        if _subject(results) != first:
            raise UsageError(
                f"{path} and {paths[0]} have not evaluated the same tests on "
                f"the same features: {_describe(results)} there, "
                f"{_describe(every[0])} here. Only runs that differ in their "
                "seed, say, have a mean."
            )
    summaries = [results["summary"] for results in every]
    shared = [s for s in SYSTEMS if all(_tests(r, s) for r in every)]
    return {
        "runs": [str(path) for path in paths],
        "tests": first[0],
        "systems": {
            system: {
                block: {
                    metric: statistics.spread(
                        [s[system][block][metric] for s in summaries]
                    )
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


def _subject(results: dict) -> tuple:
    tests = results["tests"]
    return (
        [[test["fold"], test["test_speaker"]] for test in tests],
        results["label_names"],
        tests[0]["fingerprint"],
    )


def _describe(results: dict) -> str:
    tests, labels, fingerprint = _subject(results)
    names = ", ".join(f"fold {fold} {speaker}" for fold, speaker in tests)
    return f"{names} ({', '.join(labels)}; front end {fingerprint[:12]})"
