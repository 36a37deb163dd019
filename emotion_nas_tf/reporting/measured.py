"""What runs have measured, for the paper's tables. Pure: no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.results import percent
from emotion_nas_tf.networks.members import members_of
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json

_CORPORA = {
    "cremad": "CREMA-D",
    "emodb": "EmoDB",
    "iemocap": "IEMOCAP",
    "ravdess": "RAVDESS",
}
# How the paper calls what decides a network's size.
_SIZES = {
    "num_cells": "L",
    "num_channels": "C",
    "num_layers": "L",
    "hidden_size": "h",
}


@dataclass(frozen=True)
class Measured:
    """One system of one run.

    Attributes:
      ua: unweighted accuracy of all predictions pooled, 0 to 1.
      parameters: the fewest and the most weights of its tests' networks, which
        differ where found cells do; None where a test does not say.
      size: fields of its network, e.g. `num_cells`.
      details: its size and what it hears, part by part, for people.
    """

    ua: float | None
    parameters: tuple[int, int] | None
    size: Mapping[str, object]
    details: tuple[str, ...]

    def describe(self) -> str:
        """`L=3, C=4; 4,828 to 5,804 weights`, as far as it is known."""
        parts = list(self.details)
        if self.parameters is not None:
            numbers = dict.fromkeys(f"{count:,}" for count in self.parameters)
            parts.append(f"{' to '.join(numbers)} weights")
        return "; ".join(parts)


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

    @property
    def corpus_title(self) -> str:
        """The corpus for people."""
        return _CORPORA.get(self.corpus, self.corpus) or "a corpus not named"

    def describe(self) -> str:
        """A line about the run."""
        corpus = self.corpus_title
        if self.corpus != "iemocap":
            corpus += ", not IEMOCAP"
        parts = [
            f"{self.path}: {corpus}",
            f"{self.num_tests} test{'s' if self.num_tests > 1 else ''}",
            f"{self.num_examples} utterances",
            f"chance {percent(self.chance)}",
            *([self.epochs] if self.epochs else []),
        ]
        return ", ".join(parts)


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
    try:
        return _measured(directory, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{directory.results} is damaged ({type(error).__name__}: "
            f"{error}). Evaluate the run again."
        ) from error


def _measured(directory: RunDirectory, content: Mapping) -> MeasuredRun:
    tests = content["tests"]
    infos = _infos(directory, content)
    return MeasuredRun(
        directory.path,
        next((i["corpus"] for i in infos.values() if i.get("corpus")), ""),
        {
            name: Measured(
                values["pooled"]["ua"],
                _parameters(tests, name),
                infos.get(name, {}).get("network") or {},
                _details(name, infos),
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
    """Every system's `network.json`, from the first test that has it.

    Of an ensemble with the number of its `members`.
    """
    found: dict[str, dict] = {}
    for test in content["tests"]:
        folder = directory.test(test["fold"], test["test_speaker"])
        for name in test["systems"]:
            if name in content["summary"] and name not in found:
                path = folder.info(name)
                if path.is_file():
                    members = len(members_of(path.parent))
                    found[name] = {**read_json(path), "members": members}
    return found


def _parameters(tests: list, system: str) -> tuple[int, int] | None:
    counts = [
        test["systems"][system].get("parameters")
        for test in tests
        if system in test["systems"]
    ]
    if None in counts:
        return None
    return min(counts), max(counts)


def _details(name: str, infos: Mapping[str, Mapping]) -> tuple[str, ...]:
    """A system's size and features; of a fusion, those of what it joins."""
    info = infos.get(name, {})
    # A stream may stand there twice.
    parts = dict.fromkeys(info.get("fused") or [name])
    found = []
    for part in parts:
        of_part = infos.get(part, {})
        size = of_part.get("network") or {}
        texts = [
            f"{symbol}={size[key]}"
            for key, symbol in _SIZES.items()
            if key in size
        ]
        if of_part.get("members"):
            texts.append(f"mean of {of_part['members']} networks")
        if of_part.get("features"):
            features = str(of_part["features"])
            texts.append("log-mel" if features == "logmel" else features)
        if texts:
            found.append(", ".join(texts))
    return tuple(found)


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
