"""Program: what a run found, for people.

    python -m emotion_nas_tf.report --run_dir=runs/default
    python -m emotion_nas_tf.report --figures --run_dir=runs/default
    python -m emotion_nas_tf.report --tensorboard --run_dir=runs/default
    python -m emotion_nas_tf.report --tables [--run_dir=runs/a]...

One HTML page that needs no network; the paper's Figures 3 and 4 of the found
cells; TensorBoard's view of the tests; the paper's Tables 1 to 4, with or
without runs.
"""

from collections.abc import Sequence

from flags import report_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]) -> None:
    """Does what was asked for; the page by default."""
    program.refuse_arguments(arguments)
    config = report_flags.report_config()
    if config.tables:
        from emotion_nas_tf.reporting.measured import read_run
        from emotion_nas_tf.reporting.paper_tables import format_tables

        runs = [read_run(path) for path in config.table_runs]
        print(format_tables(runs, config.table_format))
    from emotion_nas_tf.run_directory import RunDirectory

    run_directory = RunDirectory(config.run_dir)
    if config.figures:
        from emotion_nas_tf.reporting.figures import write_figures

        for path in write_figures(run_directory):
            print(path)
    if config.tensorboard:
        program.load_tensorflow()
        from emotion_nas_tf.reporting.tensorboard import write_summaries

        print(write_summaries(run_directory, config.records_dir))
    if config.page:
        from emotion_nas_tf.reporting.html import write_report

        print(write_report(run_directory, config.records_dir))


if __name__ == "__main__":
    program.run(main)
