"""Program: the report of a run, one HTML page that needs no network.

python -m emotion_nas_tf.report --run_dir=runs/default
"""

from collections.abc import Sequence

from flags import report_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]) -> None:
    """Writes the page."""
    program.refuse_arguments(arguments)

    program.load_tensorflow()
    from emotion_nas_tf.reporting.html import write_report
    from emotion_nas_tf.run_directory import RunDirectory

    print(write_report(RunDirectory(report_flags.run_dir())))


if __name__ == "__main__":
    program.run(main)
