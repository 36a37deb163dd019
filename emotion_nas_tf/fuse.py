"""Program: joins the streams of a fold that have been trained.

    python -m emotion_nas_tf.fuse --fold=2

Writes fusion/ into each test's folder: the paper's perceptron and, beside it,
mean and product of the streams, and the same perceptron on each stream alone.
"""

from collections.abc import Sequence

from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from flags import fuse_flags, protocol_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]) -> None:
    """Checks what was asked and fuses."""
    program.refuse_arguments(arguments)
    protocol = protocol_flags.protocol_config()
    config = fuse_flags.fusion_config()
    manifest, folds = open_records(protocol)

    program.load_tensorflow()
    from emotion_nas_tf.evaluation.answers import system_probabilities
    from emotion_nas_tf.evaluation.tables import percent
    from emotion_nas_tf.training.fuse_fold import fuse_fold

    for fold in folds:
        directory = RunDirectory(protocol.run_dir).test(
            fold.number, fold.test_speaker
        )

        def answer(directory, system, indices):
            return system_probabilities(
                directory, system, protocol.records_dir, manifest, indices
            )

        made = fuse_fold(
            protocol.records_dir, manifest, fold, directory, config, answer
        )
        print(f"Fused: {directory.fusion}")
        for name, info in made.items():
            print(
                f"  {name}: validation speaker {fold.validation_speaker} UA "
                f"{percent(info.validation_ua)}"
            )


if __name__ == "__main__":
    program.run(main)
