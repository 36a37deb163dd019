"""Program: trains the networks of a fold that was searched.

    python -m emotion_nas_tf.train --fold=2
    python -m emotion_nas_tf.train --fold=2 --streams=recurrent
    python -m emotion_nas_tf.train --fold=2 --systems=lstm,gru

The derived networks of the spectrogram stream; of the recurrent stream the
found recipe, a drawn one, LSTM and GRU, all at equal budget. Comparators, which
need no search, are made where they are named:

    python -m emotion_nas_tf.train --fold=2 --systems=majority,cnn
"""

from collections.abc import Sequence
from pathlib import Path

from emotion_nas_tf.data.protocol import choose_streams, open_records
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import (
    COMPARATORS,
    RECURRENT,
    SPECTROGRAM,
    STREAMS,
    SYSTEMS,
)
from flags import (
    genotype_flags,
    network_flags,
    protocol_flags,
    recipe_flags,
    recurrent_flags,
    recurrent_train_flags,
    streams_flags,
    train_flags,
    trained_systems_flags,
)
from flags.given import note_idle_flags
from tfrecords_builder import program
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.errors import UsageError


def main(argv: Sequence[str]) -> None:
    """Checks what was asked and trains."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    network, config = network_flags.network_config(), train_flags.train_config()
    recurrent, recurrent_config = (
        recurrent_flags.recurrent_config(),
        recurrent_train_flags.recurrent_train_config(),
    )
    named = trained_systems_flags.trained_systems()
    asked = streams_flags.streams() or _streams_of(named)
    genotype_path = genotype_flags.genotype_path()
    recipe_path = recipe_flags.recipe_path()
    manifest, folds = open_records(protocol)
    streams = choose_streams(manifest, asked)
    derived = _systems(SPECTROGRAM, streams, named)
    of_recipes = _systems(RECURRENT, streams, named)
    comparators = _systems(COMPARATORS, [COMPARATORS], named) if named else ()
    _refuse_idle("genotype", genotype_path, "networks of cells", derived)
    of_search = [name for name in of_recipes if name == "recipe"]
    _refuse_idle("recipe", recipe_path, "the system recipe", of_search)
    hears_spectrograms = derived or "cnn" in comparators
    if not hears_spectrograms:
        note_idle_flags(
            "no network on spectrograms is trained", network_flags, train_flags
        )
    if not of_recipes:
        note_idle_flags(
            "no recurrent network is trained",
            recurrent_flags,
            recurrent_train_flags,
        )

    program.load_tensorflow(deterministic=config.deterministic)
    from emotion_nas_tf.training.augmenting import (
        check_sequence_augmentation,
        check_spectrogram_augmentation,
    )
    from emotion_nas_tf.training.comparators import (
        check_comparators,
        train_comparators,
    )
    from emotion_nas_tf.training.derived_systems import train_fold
    from emotion_nas_tf.training.recurrent_systems import (
        recipes_of,
        train_recurrent_fold,
    )

    tests = [
        (
            fold,
            RunDirectory(protocol.run_dir).test(fold.number, fold.test_speaker),
        )
        for fold in folds
    ]
    # Before hours of training: is everything there, can all be done?
    if hears_spectrograms:
        heard = SpectrogramConfig(**manifest.features["spectrogram"])
        check_spectrogram_augmentation(config, heard.output_shape)
    if of_recipes:
        check_sequence_augmentation(recurrent_config, manifest.sequence)
    for fold, directory in tests:
        recipes_of(
            fold, directory, recurrent_config.seed, of_recipes, recipe_path
        )
        check_comparators(directory, comparators)
    for fold, directory in tests:
        of_fold = (protocol.records_dir, manifest, fold, directory)
        if derived:
            train_fold(*of_fold, network, config, derived, genotype_path)
            print(f"Trained: {directory.spectrogram}")
        if of_recipes:
            train_recurrent_fold(
                *of_fold, recurrent, recurrent_config, of_recipes, recipe_path
            )
            print(f"Trained: {directory.recurrent}")
        if comparators:
            train_comparators(*of_fold, network, config, comparators)
            print(f"Trained: {', '.join(comparators)} of {directory.path}")


def _refuse_idle(
    flag: str, path: Path | None, used_by: str, trained: Sequence[str]
) -> None:
    if path is not None and not trained:
        raise UsageError(
            f"--{flag} does nothing here: it is for {used_by}, and "
            "--systems or --streams leaves that out. Leave it out too."
        )


def _streams_of(systems: Sequence[str]) -> tuple[str, ...]:
    found = {SYSTEMS[name].stream for name in systems}
    return tuple(stream for stream in STREAMS if stream in found)


def _systems(
    stream: str, streams: Sequence[str], named: Sequence[str]
) -> tuple[str, ...]:
    """What is to be trained of a stream; search networks never are."""
    if stream not in streams:
        return ()
    return tuple(
        name
        for name in named or SYSTEMS
        if SYSTEMS[name].stream == stream
        and SYSTEMS[name].program == "emotion_nas_tf.train"
    )


if __name__ == "__main__":
    program.run(main)
