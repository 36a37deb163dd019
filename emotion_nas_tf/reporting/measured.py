"""What runs have measured, for the paper's tables. Pure: no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.results import percent
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json


@dataclass(frozen=True)
class Measured:
    """One system of one run.

    Attributes:
      ua: unweighted accuracy of all predictions pooled, 0 to 1.
      parameters: of its network; None where tests have different ones.
      size: fields of its network, e.g. `num_cells`.
      features: what it hears, where its network says so.
    """

    ua: float | None
    parameters: int | None
    size: Mapping[str, object]
    features: str


@dataclass(frozen=True)
class MeasuredRun:
    """One run.

    Attributes:
      path: its folder.
      corpus: its records' corpus; empty where the run does not say.
      systems: what it measured, by name.
      num_tests: test speakers.
      num_examples: utterances of all tests.
      chance: UA of guessing.
      epochs: what the run's configuration says of its budget.
    """

    path: Path
    corpus: str
    systems: Mapping[str, Measured]
    num_tests: int
    num_examples: int
    chance: float
    epochs: str

    def describe(self, systems: tuple[str, ...]) -> str:
        """A line about the run, as far as it concerns these systems."""
        corpus = self.corpus or "a corpus that the run does not name"
        if self.corpus != "iemocap":
            corpus += ", not IEMOCAP"
        parts = [
            f"{self.path}: {corpus}",
            f"{self.num_tests} test{'s' if self.num_tests > 1 else ''}",
            f"{self.num_examples} utterances",
            f"chance {percent(self.chance)}",
            *([self.epochs] if self.epochs else []),
        ]
        details = {
            text: None
            for name in systems
            if name in self.systems
            for text in [_details(self.systems[name])]
            if text
        }
        weights = [
            f"{SYSTEMS[name].title} {self.systems[name].parameters:,}"
            for name in systems
            if name in self.systems and self.systems[name].parameters
        ]
        if weights:
            details[f"weights: {', '.join(weights)}"] = None
        return "; ".join([", ".join(parts), *details])


def read_run(path: Path) -> MeasuredRun:
    """Reads a run's `results.json`.

    Raises:
      UsageError: when it is not there or damaged.
    """
    directory = RunDirectory(path)
    if not directory.results.is_file():
        raise UsageError(
            f"There is no {directory.results}: expected a run that has been "
            "evaluated. `python -m emotion_nas_tf.evaluate --run_dir="
            f"{path}` writes it."
        )
    content = read_json(directory.results)
    if (
        not isinstance(content, dict)
        or content.get("schema_version") != results.SCHEMA_VERSION
    ):
        raise UsageError(
            f"{directory.results} is not a results file of schema version "
            f"{results.SCHEMA_VERSION}. Evaluate the run again."
        )
    tests = content["tests"]
    infos = _infos(directory, content)
    return MeasuredRun(
        path,
        next((i["corpus"] for i in infos.values() if i.get("corpus")), ""),
        {
            name: Measured(
                values["pooled"]["ua"],
                _parameters(tests, name),
                infos.get(name, {}).get("network") or {},
                str(infos.get(name, {}).get("features", "")),
            )
            for name, values in content["summary"].items()
        },
        len(tests),
        sum(
            max(v["num_examples"] for v in test["systems"].values())
            for test in tests
        ),
        content["chance"],
        _epochs(directory),
    )


def _infos(directory: RunDirectory, content: Mapping) -> dict[str, dict]:
    """Every system's `network.json`, from the first test that has it."""
    found: dict[str, dict] = {}
    for test in content["tests"]:
        folder = directory.test(test["fold"], test["test_speaker"])
        for name in test["systems"]:
            if name in content["summary"] and name not in found:
                path = folder.info(name)
                if path.is_file():
                    found[name] = read_json(path)
    return found


def _parameters(tests: list, system: str) -> int | None:
    counts = {
        test["systems"][system].get("parameters")
        for test in tests
        if system in test["systems"]
    }
    return counts.pop() if len(counts) == 1 else None


_SIZES = {
    "num_cells": "L",
    "num_channels": "C",
    "num_layers": "L",
    "hidden_size": "h",
}


def _details(measured: Measured) -> str:
    size = ", ".join(
        f"{symbol} = {measured.size[name]}"
        for name, symbol in _SIZES.items()
        if name in measured.size
    )
    return ", ".join(part for part in (size, measured.features) if part)


def _epochs(directory: RunDirectory) -> str:
    if not directory.config.is_file():
        return ""
    config = read_json(directory.config)
    what = {
        "search_epochs": "epochs of search",
        "train_epochs": "of training",
        "recurrent_train_epochs": "of the recurrent stream",
    }
    return ", ".join(
        f"{config[key]} {text}" for key, text in what.items() if key in config
    )
