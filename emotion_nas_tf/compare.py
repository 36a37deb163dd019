"""Program: mean and spread over several runs, as with several seeds.

python -m emotion_nas_tf.compare --run_dirs=runs/seed0,runs/seed1,runs/seed2
"""

from collections.abc import Sequence

from emotion_nas_tf.evaluation.runs import compare_runs
from emotion_nas_tf.evaluation.tables import runs_table
from flags import compare_flags
from tfrecords_builder import program
from tfrecords_builder.files import prepare_output, write_json


def main(arguments: Sequence[str]) -> None:
    """Compares the runs that the flags name."""
    program.refuse_arguments(arguments)
    config = compare_flags.compare_config()
    # What takes time comes after what may be wrong.
    if config.output is not None:
        prepare_output(config.output, "--output")
    compared = compare_runs(config.run_dirs)
    print(runs_table(compared))
    if compared["left_out"]:
        print(f"Not in every run: {', '.join(compared['left_out'])}.")
    if config.output is not None:
        write_json(config.output, compared)
        print(f"All numbers are in {config.output}.")


if __name__ == "__main__":
    program.run(main)
