"""The report of a run: one HTML page that needs nothing beside it."""

from pathlib import Path

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.reporting import elements, overall, repeating
from emotion_nas_tf.reporting.calibration_section import calibration_section
from emotion_nas_tf.reporting.one_test import test_section
from emotion_nas_tf.reporting.records_section import data_section, records_of
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing


def write_report(
    run_directory: RunDirectory, records_dir: Path | None = None
) -> Path:
    """Writes the run's `report.html` from what the run has on disk so far.

    Args:
      run_directory: the run.
      records_dir: its records, for the data audit; without, or when they are
        other records, the page does without.

    Returns:
      The page.

    Raises:
      UsageError: when there is no run, it holds no test yet, or a file of it
        is damaged.
    """
    run_directory.check_exists()
    tests = run_directory.tests()
    if not tests:
        raise UsageError(
            f"The run {run_directory.path} holds no test yet. `python -m "
            f"emotion_nas_tf.run --run_dir={run_directory.path}` makes them."
        )
    title = f"Emotion from speech: run {run_directory.path.resolve().name}"
    body = [
        elements.heading(title, 1),
        repeating.of_several_runs(run_directory.config),
    ]
    if any(test.metrics.is_file() for test in tests):
        content = results.collect_results(run_directory)
        body += [
            overall.summary(content),
            elements.contents(),
            elements.heading("Results"),
            overall.results_tables(content),
            elements.heading("Confusion"),
            overall.confusion_matrices(content),
            calibration_section(content),
        ]
    else:
        body += [
            elements.paragraph("No test has been evaluated yet."),
            elements.contents(),
        ]
    manifest = records_of(records_dir, tests)
    body.append(elements.heading("The tests, one by one"))
    for index, test in enumerate(tests):
        body.append(
            elements.details(
                f"Fold {test.fold}, tested on speaker {test.test_speaker}",
                test_section(test, results.read_metrics(test)),
                is_open=index == 0,
            )
        )
    body += [
        elements.heading("The data"),
        data_section(records_dir, manifest),
        elements.heading("How to go on"),
        elements.preformatted(
            repeating.commands(run_directory, tests, records_dir, manifest)
        ),
        *_run_configuration(run_directory),
        elements.heading("Environment"),
        elements.paragraph("This page was written with:"),
        elements.preformatted(repeating.environment()),
    ]
    with replacing(run_directory.report) as temporary:
        temporary.write_text(
            elements.page(title, "\n".join(body)), encoding="utf-8"
        )
    return run_directory.report


def _run_configuration(run_directory: RunDirectory) -> list[str]:
    text = repeating.configuration(run_directory.config)
    if not text:
        return []
    return [
        elements.heading("Configuration"),
        elements.details("All settings of the run", text),
    ]
