"""The report of a run: one HTML page that needs nothing beside it."""

import importlib.metadata
import platform
from pathlib import Path

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting import elements, sections
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

_PACKAGES = (
    "emotion-nas-tf",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "numpy",
    "librosa",
    "soundfile",
    "matplotlib",
)


def write_report(run_directory: RunDirectory) -> Path:
    """Writes the run's `report.html` from what the run has on disk so far.

    Returns:
      The page.

    Raises:
      UsageError: when there is no run, or it holds no test yet.
    """
    if not run_directory.path.is_dir():
        raise UsageError(
            f"There is no run in {run_directory.path}. `python -m "
            "emotion_nas_tf.run` makes one; --run_dir names it."
        )
    tests = run_directory.tests()
    if not tests:
        raise UsageError(
            f"The run {run_directory.path} holds no test yet. `python -m "
            f"emotion_nas_tf.run --run_dir={run_directory.path}` makes them."
        )
    name = run_directory.path.resolve().name
    title = f"Emotion from speech: run {name}"
    body = [elements.heading(title, 1)]
    measured = [test for test in tests if test.metrics.is_file()]
    if measured:
        content = results.collect_results(run_directory)
        body += [
            sections.summary(content),
            elements.heading("Results"),
            sections.results_table(content),
            elements.heading("Confusion"),
            sections.confusion_matrices(content),
        ]
    else:
        body.append(elements.paragraph("No test has been evaluated yet."))
    body.append(elements.heading("The tests, one by one"))
    for index, test in enumerate(tests):
        body.append(
            elements.details(
                f"Fold {test.fold}, tested on speaker {test.test_speaker}",
                sections.test_section(test, results.read_metrics(test)),
                is_open=index == 0,
            )
        )
    body += [
        elements.heading("How to go on"),
        elements.preformatted(_commands(run_directory, tests)),
        *_run_configuration(run_directory),
        elements.heading("Environment"),
        elements.paragraph("This page was written with:"),
        elements.preformatted(_environment()),
    ]
    with replacing(run_directory.report) as temporary:
        temporary.write_text(
            elements.page(title, "\n".join(body)), encoding="utf-8"
        )
    return run_directory.report


def _run_configuration(run_directory: RunDirectory) -> list[str]:
    text = sections.configuration(run_directory.config)
    return [elements.heading("Configuration"), text] if text else []


def _commands(run_directory: RunDirectory, tests: list[FoldDirectory]) -> str:
    folds = list(dict.fromkeys(str(test.fold) for test in tests))
    path = run_directory.path
    lines = [
        "# Repeat the run",
        sections.command(run_directory.config)
        or f"python -m emotion_nas_tf.run --run_dir={path} "
        f"--folds={','.join(folds)}",
        "# Watch every epoch of its searches",
        f"python -m tensorboard.main --logdir={path}",
    ]
    exported = [test.model for test in tests if test.model.is_dir()]
    if exported:
        lines += [
            "# Hear the emotion in a recording of your own",
            f"python -m emotion_nas_tf.predict --model={exported[0]} "
            "recording.wav",
        ]
    return "\n".join(lines)


def _environment() -> str:
    lines = [f"Python {platform.python_version()}", platform.platform()]
    for package in _PACKAGES:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        lines.append(f"{package} {version}")
    return "\n".join(lines)
