"""Program: trains the derived networks of a fold that was searched.

python -m emotion_nas_tf.train --fold=2
"""

from collections.abc import Sequence

from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from flags import (
    genotype_flags,
    network_flags,
    protocol_flags,
    systems_flags,
    train_flags,
)
from tfrecords_builder import program


def main(argv: Sequence[str]) -> None:
    """Checks what was asked and trains."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    network, config = network_flags.network_config(), train_flags.train_config()
    systems = systems_flags.derived_systems()
    genotype_path = genotype_flags.genotype_path()
    manifest, folds = open_records(protocol)

    program.load_tensorflow()
    from emotion_nas_tf.training.derived_systems import train_fold

    for fold in folds:
        directory = RunDirectory(protocol.run_dir).test(
            fold.number, fold.test_speaker
        )
        train_fold(
            protocol.records_dir,
            manifest,
            fold,
            directory,
            network,
            config,
            systems,
            genotype_path,
        )
        print(f"Trained: {directory.spectrogram}")


if __name__ == "__main__":
    program.run(main)
