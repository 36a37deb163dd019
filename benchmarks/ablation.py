"""Which option helps the training of found cells? By validation speakers.

    python -m benchmarks.ablation --records_dir=RECORDS --work_dir=WORK
        --genotype=CELLS.json | --recipe=RECIPE.json|lstm|gru
        --folds=1,2 --seeds=0,1 [--sets=FILE]
        [flags of emotion_nas_tf.train, the same for all sets]

Trains the derived network of one genotype, or the recurrent network of one
recipe, with each set of options, for every fold, both directions and every
seed, and prints the mean UA on the validation speakers. Those are never the
ones of the same training's test, and no test speaker's utterance is read. But
the one of a fold's first direction tests in its second: fix the options on
some folds and report the others apart. The UA is that of the best epoch, which
the same speaker chose: it flatters all sets alike and is no result. Beside it
stands the UA of the second half of the epochs, on average, which is steadier.

FILE holds a set a line, `name: flags`; without it, `SETS` or
`RECURRENT_SETS`. The first one is what the others are compared with: by the
mean difference over the same folds, directions and seeds, its standard error,
and how many are better or worse.
Killed, the same command goes on; a table is printed whenever a set is complete.
"""

import argparse
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from absl import flags

from benchmarks.ablation_table import format_table, validation_ua
from benchmarks.option_sets import (
    flags_given,
    folder_name,
    numbers,
    parse_sets,
    read_sets,
    refuse_seed,
)
from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.recurrent.recipe_files import load_recipe
from emotion_nas_tf.search_space.genotype import load_genotype
from flags import (
    augmentation_flags,
    network_flags,
    recurrent_flags,
    recurrent_train_flags,
    train_flags,
)
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import write_json
from tfrecords_builder.records import RecordsManifest

SETS = """
nothing:
label smoothing: --label_smoothing=0.1
masks: --frequency_mask=20 --time_mask=20
drop path: --drop_path=0.2
mixup: --mixup=0.2
averaged weights: --weight_averaging=0.99
mixup and averaged: --mixup=0.2 --weight_averaging=0.99
"""
RECURRENT_SETS = """
nothing:
dropout: --recurrent_dropout=0.3
label smoothing: --recurrent_label_smoothing=0.1
mixup: --recurrent_mixup=0.2
averaged weights: --recurrent_weight_averaging=0.99
mixup and averaged: --recurrent_mixup=0.2 --recurrent_weight_averaging=0.99
"""
# (set's network and training, seed, fold, folder) -> trains into the folder.
Train = Callable[[tuple, int, Fold, Path], None]


def parse_training(options: list[str], recurrent: bool) -> tuple:
    """Flags of `emotion_nas_tf.train` to size and training of a network.

    Raises:
      UsageError: for a flag that does not exist or does nothing here, or a
        value it cannot have.
    """
    with flags_given(options):
        _refuse_idle(recurrent)
        if recurrent:
            return (
                recurrent_flags.recurrent_config(),
                recurrent_train_flags.recurrent_train_config(),
            )
        return network_flags.network_config(), train_flags.train_config()


def _refuse_idle(recurrent: bool) -> None:
    """Refuses flags that would change nothing: all sets would be alike."""
    refuse_seed()
    others, asked = (recurrent_flags, recurrent_train_flags), "--genotype"
    names = ()
    if recurrent:
        others, asked = (network_flags, train_flags), "--recipe"
        # The recurrent training has its own.
        names = ("batch_size", "learning_rate", "weight_decay", "precision")
    for module in others:
        names = (*names, *_names_of(module))
    names += tuple(
        name
        for name in _names_of(augmentation_flags)
        if name.startswith("recurrent_") != recurrent
    )
    for name in names:
        if flags.FLAGS[name].present:
            raise UsageError(
                f"--{name} does nothing with {asked}: it is of the other "
                "stream. Leave it out."
            )


def _names_of(module: ModuleType) -> list[str]:
    defined = flags.FLAGS.get_flags_for_module(module.__name__)
    return [flag.name for flag in defined]


def make_train(
    network: Path | str,
    recurrent: bool,
    protocol: ProtocolConfig,
    manifest: RecordsManifest,
    folds: list[Fold],
) -> Train:
    """What trains the network of a recipe, or of a genotype.

    Args:
      network: file of the genotype; file or name of the recipe.
      recurrent: whether it is a recipe.
      protocol: names the records.
      manifest: theirs.
      folds: all that will be trained on.

    Raises:
      UsageError: when there is no such genotype or recipe.
    """
    if recurrent:
        system, cell = "recipe", load_recipe(network)
        from emotion_nas_tf.training.recurrent_data import (
            load_recurrent_data as load,
        )
        from emotion_nas_tf.training.recurrent_systems import (
            train_recurrent_system as train_system,
        )
    else:
        system, cell = "retrained", load_genotype(network)
        from emotion_nas_tf.training.supervised import (
            load_training_data as load,
        )
        from emotion_nas_tf.training.supervised import train_system
    data = {fold: load(protocol.records_dir, manifest, fold) for fold in folds}

    def train(configs, seed, fold, folder):
        size, config = configs
        config = dataclasses.replace(config, seed=seed)
        train_system(
            system, folder, data[fold], manifest, fold, cell, size, config
        )

    return train


def measure(
    train: Train,
    protocol: ProtocolConfig,
    folds: list[Fold],
    configs: Mapping[str, tuple],
    seeds: Sequence[int],
    about: Mapping,
) -> None:
    """Trains what is left; prints a table whenever a set is complete.

    Args:
      train: one training.
      protocol: its run folder takes the results.
      folds: every direction of each.
      configs: of each set, network and training.
      seeds: of every set.
      about: noted beside the numbers.
    """
    measured = {}
    order = list(itertools.product(seeds, folds))
    for name, config in configs.items():
        values = []
        for seed, fold in order:
            folder = (
                protocol.run_dir
                / folder_name(name)
                / f"seed_{seed}"
                / f"fold_{fold.number}_test_{fold.test_speaker}"
            )
            train(config, seed, fold, folder)
            values.append(validation_ua(folder))
        measured[name] = values
        print(format_table(list(configs), measured), end="\n\n")
        write_json(
            protocol.run_dir / "ablation.json",
            {
                **about,
                "validation_ua": measured,
                "order": [
                    {"seed": seed, "validation": fold.validation_speaker}
                    for seed, fold in order
                ],
            },
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--records_dir", type=Path, required=True)
    network = parser.add_mutually_exclusive_group(required=True)
    network.add_argument("--genotype", type=Path)
    network.add_argument("--recipe")
    parser.add_argument("--work_dir", type=Path, required=True)
    parser.add_argument("--folds", type=numbers, default="1,2,3,4,5")
    parser.add_argument("--seeds", type=numbers, default="0")
    parser.add_argument("--sets", type=Path)
    arguments, options = parser.parse_known_args()
    recurrent = arguments.recipe is not None
    network = arguments.recipe if recurrent else arguments.genotype
    try:
        sets = parse_sets(
            read_sets(arguments.sets, RECURRENT_SETS if recurrent else SETS)
        )
        configs = {
            name: parse_training([*options, *of_set], recurrent)
            for name, of_set in sets.items()
        }
        protocol = ProtocolConfig(
            arguments.records_dir, arguments.work_dir, arguments.folds
        )
        manifest, folds = open_records(protocol)
        program.load_tensorflow(
            deterministic=any(c.deterministic for _, c in configs.values())
        )
        measure(
            make_train(network, recurrent, protocol, manifest, folds),
            protocol,
            folds,
            configs,
            arguments.seeds,
            {"options": sets, "of_all": options, "network": str(network)},
        )
    except UsageError as error:
        parser.error(str(error))
    except WorkError as error:
        parser.exit(error.exit_code, f"Error: {error}\n")


if __name__ == "__main__":
    main()
