"""Which option helps the training of found cells? By validation speakers.

    python -m benchmarks.ablation --records_dir=RECORDS --genotype=CELLS.json
        --work_dir=WORK --folds=1,2 --seeds=0,1 [--sets=FILE]
        [flags of emotion_nas_tf.train, the same for all sets]

Trains the derived network of one genotype with each set of options, for every
fold, both directions and every seed, and prints the mean UA on the validation
speakers. Those are never the ones of the same training's test, and no test
speaker's utterance is read. The UA is that of the best epoch, which the same
speaker chose: it flatters all sets alike and is no result.

FILE holds a set a line, `name: flags`; without it, `SETS`. The first one is
what the others are compared with: by the mean difference over the same folds,
directions and seeds, its standard error, and how many are better or worse.
Killed, the same command goes on; a table is printed whenever a set is complete.
"""

import argparse
import dataclasses
import itertools
import shlex
import statistics
from pathlib import Path

from absl import flags
from absl.testing import flagsaver

from emotion_nas_tf.config import NetworkConfig, ProtocolConfig
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import INFO_NAME
from emotion_nas_tf.search_space.genotype import load_genotype
from flags import network_flags, train_flags
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, write_json

SETS = """
nothing:
label smoothing: --label_smoothing=0.1
masks: --frequency_mask=20 --time_mask=20
drop path: --drop_path=0.2
mixup: --mixup=0.2
averaged weights: --weight_averaging=0.99
mixup and averaged: --mixup=0.2 --weight_averaging=0.99
"""


def parse_sets(text: str) -> dict[str, list[str]]:
    """`name: flags`, a line each; empty lines and `#` lines do not count."""
    sets = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, options = line.partition(":")
        name = name.strip()
        if not colon or not name or name in sets or "/" in name:
            raise UsageError(
                "A set of options is a line `name: flags`, each name once and "
                f"without a slash. Received: {line!r}"
            )
        sets[name] = shlex.split(options)
    if not sets:
        raise UsageError("There is no set of options to compare.")
    return sets


def parse_training(options: list[str]):
    """Flags of `emotion_nas_tf.train` to size and training.

    Raises:
      UsageError: for a flag that does not exist, or a value it cannot have.
    """
    with flagsaver.flagsaver():
        try:
            rest = flags.FLAGS(["ablation", *options])[1:]
        except flags.Error as error:
            raise UsageError(f"{shlex.join(options)}: {error}") from error
        if rest:
            raise UsageError(f"{shlex.join(options)}: what is {rest[0]!r}?")
        return network_flags.network_config(), train_flags.train_config()


def format_table(names: list[str], measured: dict[str, list[float]]) -> str:
    """The sets that are complete, the first one as the reference.

    Args:
      names: all sets.
      measured: set to validation UA, in one order of folds and seeds.
    """
    width = max(map(len, names))
    reference = measured.get(names[0])
    lines = [
        f"{'options':{width}}  mean UA  trainings  difference  better  worse"
    ]
    for name in names:
        if name not in measured:
            continue
        values = measured[name]
        line = (
            f"{name:{width}}  {100 * statistics.fmean(values):7.1f}  "
            f"{len(values):9}"
        )
        if reference is not None and name != names[0]:
            gains = [
                100 * (a - b) for a, b in zip(values, reference, strict=True)
            ]
            error = (
                f" ±{statistics.stdev(gains) / len(gains) ** 0.5:.1f}"
                if len(gains) > 1
                else ""
            )
            difference = f"{statistics.fmean(gains):+.1f}{error}"
            line += (
                f"  {difference:>10}  {sum(g > 0 for g in gains):6}  "
                f"{sum(g < 0 for g in gains):5}"
            )
        lines.append(line)
    return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class Ablation:
    """What is trained; see the module's first lines."""

    protocol: ProtocolConfig
    genotype: Path
    sets: dict[str, list[str]]
    seeds: tuple[int, ...]
    options: list[str]

    def run(self) -> dict[str, list[float]]:
        """Trains what is left; set to validation UA of every training."""
        configs = {
            name: parse_training([*self.options, *options])
            for name, options in self.sets.items()
        }
        genotype = load_genotype(self.genotype)
        manifest, folds = open_records(self.protocol)
        program.load_tensorflow()
        from emotion_nas_tf.training.supervised import (
            load_training_data,
            train_system,
        )

        data = {
            fold.test_speaker: load_training_data(
                self.protocol.records_dir, manifest, fold
            )
            for fold in folds
        }
        measured = {}
        for name, (network, config) in configs.items():
            values = []
            for seed, fold in itertools.product(self.seeds, folds):
                folder = (
                    self.protocol.run_dir
                    / name.replace(" ", "_")
                    / f"seed_{seed}"
                    / f"fold_{fold.number}_test_{fold.test_speaker}"
                )
                train_system(
                    "retrained",
                    folder,
                    data[fold.test_speaker],
                    manifest,
                    fold,
                    genotype,
                    network,
                    dataclasses.replace(config, seed=seed),
                )
                values.append(read_json(folder / INFO_NAME)["validation_ua"])
            measured[name] = values
            print(format_table(list(self.sets), measured), end="\n\n")
            self._keep(measured, folds, network)
        return measured

    def _keep(self, measured, folds, network: NetworkConfig) -> None:
        write_json(
            self.protocol.run_dir / "ablation.json",
            {
                "validation_ua": measured,
                "options": {name: self.sets[name] for name in measured},
                "of_all": self.options,
                "network": dataclasses.asdict(network),
                "order": [
                    {"seed": seed, "validation": fold.validation_speaker}
                    for seed, fold in itertools.product(self.seeds, folds)
                ],
            },
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--records_dir", type=Path, required=True)
    parser.add_argument("--genotype", type=Path, required=True)
    parser.add_argument("--work_dir", type=Path, required=True)
    parser.add_argument("--folds", default="1,2,3,4,5")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--sets", type=Path)
    arguments, options = parser.parse_known_args()
    sets = arguments.sets.read_text("utf-8") if arguments.sets else SETS
    try:
        Ablation(
            ProtocolConfig(
                arguments.records_dir,
                arguments.work_dir,
                tuple(map(int, arguments.folds.split(","))),
            ),
            arguments.genotype,
            parse_sets(sets),
            tuple(map(int, arguments.seeds.split(","))),
            options,
        ).run()
    except UsageError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
