"""Program: searches the cells of a fold, those of both streams.

python -m emotion_nas_tf.search --fold=2
python -m emotion_nas_tf.search --fold=2 --streams=recurrent
"""

from collections.abc import Sequence

import joblib

from emotion_nas_tf.data.protocol import choose_streams, open_records
from emotion_nas_tf.recurrent.candidates import check_search
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.kernel_threads import kernel_threads
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM
from flags import (
    candidate_flags,
    network_flags,
    protocol_flags,
    recurrent_flags,
    recurrent_train_flags,
    search_flags,
    streams_flags,
)
from flags.given import note_idle_flags
from tfrecords_builder import program

_FLAGS = {
    SPECTROGRAM: (network_flags, search_flags),
    RECURRENT: (recurrent_flags, recurrent_train_flags, candidate_flags),
}


def main(argv: Sequence[str]) -> None:
    """Checks what was asked, searches, prints the cells."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    network, config = (
        network_flags.network_config(),
        search_flags.search_config(),
    )
    recurrent, training, candidates = (
        recurrent_flags.recurrent_config(),
        recurrent_train_flags.recurrent_train_config(),
        candidate_flags.candidate_search_config(),
    )
    wanted = streams_flags.streams()
    manifest, folds = open_records(protocol)
    streams = choose_streams(manifest, wanted)
    if RECURRENT in streams:
        # Before hours of the other stream's search.
        check_search(candidates)
    for stream, modules in _FLAGS.items():
        if stream not in streams:
            note_idle_flags(f"no {stream} stream is searched", *modules)

    program.load_tensorflow(
        deterministic=config.deterministic,
        kernel_threads=(
            kernel_threads(
                joblib.cpu_count(), config.batch_size // config.micro_batches
            )
            if SPECTROGRAM in streams
            else None
        ),
    )
    from emotion_nas_tf.training.augmenting import check_sequence_augmentation
    from emotion_nas_tf.training.candidate_search import search_recipe_fold
    from emotion_nas_tf.training.search_checks import check_search_batches
    from emotion_nas_tf.training.searching import search_fold
    from emotion_nas_tf.visualization.recipe_boxes import recipe_lines

    if SPECTROGRAM in streams:
        # Before hours of another fold's search.
        for fold in folds:
            check_search_batches(manifest, fold, config)
    if RECURRENT in streams:
        check_sequence_augmentation(training, manifest.sequence)
    for fold in folds:
        directory = RunDirectory(protocol.run_dir).test(
            fold.number, fold.test_speaker
        )
        common = (protocol.records_dir, manifest, fold, directory)
        if SPECTROGRAM in streams:
            genotype = search_fold(*common, network, config)
            print(f"\n{genotype.to_text()}\n\nGenotype: {directory.genotype}")
        if RECURRENT in streams:
            recipe = search_recipe_fold(
                *common, recurrent, training, candidates
            )
            print(f"\n{recipe_lines(recipe)}\n\nRecipe: {directory.recipe}")


if __name__ == "__main__":
    program.run(main)
