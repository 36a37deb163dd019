"""Program: tests trained networks on speakers they never heard.

    python -m emotion_nas_tf.evaluate --run_dir=runs/default --fold=2

Writes predictions.csv and metrics.json for each test, and the run's
results.json.
"""

from collections.abc import Sequence

from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from flags import evaluate_flags, protocol_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]) -> None:
    """Evaluates the tests that the flags ask for."""
    program.refuse_arguments(arguments)
    protocol = protocol_flags.protocol_config()
    config = evaluate_flags.evaluate_config()
    # All folds before any work: a number that does not exist shows at once.
    _, folds = open_records(protocol)

    program.load_tensorflow()
    from emotion_nas_tf.evaluation import results
    from emotion_nas_tf.evaluation.fold_evaluation import evaluate_fold

    for fold in folds:
        evaluate_fold(
            protocol.records_dir, protocol.run_dir, fold, config.systems
        )
    run_directory = RunDirectory(protocol.run_dir)
    print(results.format_table(results.write_results(run_directory)))
    print(f"All numbers are in {run_directory.results}.")


if __name__ == "__main__":
    program.run(main)
