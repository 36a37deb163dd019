"""Program: searches the cells of a fold.

python -m emotion_nas_tf.search --fold=2
"""

from collections.abc import Sequence

from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from flags import network_flags, protocol_flags, search_flags
from tfrecords_builder import program


def main(argv: Sequence[str]) -> None:
    """Checks what was asked, searches, prints the cells."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    network, config = (
        network_flags.network_config(),
        search_flags.search_config(),
    )
    manifest, folds = open_records(protocol)

    program.load_tensorflow()
    from emotion_nas_tf.training.searching import search_fold

    for fold in folds:
        directory = RunDirectory(protocol.run_dir).test(
            fold.number, fold.test_speaker
        )
        genotype = search_fold(
            protocol.records_dir, manifest, fold, directory, network, config
        )
        print(f"\n{genotype.to_text()}\n\nGenotype: {directory.genotype}")


if __name__ == "__main__":
    program.run(main)
