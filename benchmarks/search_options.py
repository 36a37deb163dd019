"""Does an option of the search find better cells? Over seeds, by UA.

    python -m benchmarks.search_options --records_dir=RECORDS --work_dir=WORK
        --fold=2 --seeds=0,1,2 [--sets=FILE] [--network="FLAGS"]
        [--search="FLAGS"] [--train="FLAGS"]

For every seed and set of options: `emotion_nas_tf.search` with the set,
`emotion_nas_tf.train` of the cell that it found, `emotion_nas_tf.evaluate` on
both speakers of the session that was left out. Each seed's drawn cell is
trained once, alike. FLAGS are the same for all sets: of search and training,
of the search alone, of the training alone.

FILE holds a set a line, `name: flags of emotion_nas_tf.search`; without it,
`SETS`. The first set is what the others are compared with; all are compared
with the drawn cells: by the mean difference over the same speakers and seeds,
its standard error, and how many are better or worse. Alphas of the paper move
on the validation speaker, so that the test speakers' UA is the only one that
nothing was fitted to: a set chosen by it is flattered by the choice.
Killed, the same command goes on; a table is printed after every seed.
"""

import argparse
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.ablation import (
    flags_given,
    numbers,
    parse_sets,
    read_sets,
)
from benchmarks.ablation_table import COMPARISON, compare
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import load_genotype
from flags import network_flags, search_flags, train_flags
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import read_json

SETS = """
nothing:
two skips at most: --max_skip_connections=2
stop at two skips: --early_stop_skips=2
warm-up: --architecture_warm_up_epochs=1
partial channels: --partial_channels=2
beta decay: --beta_decay=50
sigmoids: --relaxation=sigmoid --zero_one_weight=10
Gumbel: --relaxation=gumbel
"""
RANDOM = "random_cell"
# Column: skip connections in the normal cell.
SKIPS = "skips"
_DRAWN = "drawn cells"


def check_flags(
    arguments: argparse.Namespace, sets: Mapping[str, Sequence[str]]
) -> None:
    """Refuses before the first search what a later one would refuse.

    Raises:
      UsageError: for a flag that does not exist, or a value it cannot have.
    """
    for options in sets.values():
        with flags_given([*arguments.network, *arguments.search, *options]):
            network_flags.network_config()
            search_flags.search_config()
    with flags_given([*arguments.network, *arguments.train]):
        train_flags.train_config()


def run_set(
    arguments: argparse.Namespace,
    options: Sequence[str],
    run_dir: Path,
    seed: int,
    systems: Sequence[str],
) -> None:
    """Search, training and test of one set with one seed; skips what is done.

    Args:
      arguments: the program's.
      options: of the set.
      run_dir: takes the results.
      seed: of search and training.
      systems: to be trained.

    Raises:
      WorkError: when a program fails; it has said why.
    """
    common = [
        f"--records_dir={arguments.records_dir}",
        f"--run_dir={run_dir}",
        f"--fold={arguments.fold}",
    ]
    sized = [*common, f"--seed={seed}", *arguments.network]
    commands = {
        "search": [
            *sized,
            "--streams=spectrogram",
            *arguments.search,
            *options,
        ],
        "train": [*sized, f"--systems={','.join(systems)}", *arguments.train],
        "evaluate": common,
    }
    for program, flags in commands.items():
        command = [sys.executable, "-m", f"emotion_nas_tf.{program}", *flags]
        print(shlex.join(command[1:]), file=sys.stderr, flush=True)
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            raise WorkError(
                f"emotion_nas_tf.{program} failed, as it says above. The same "
                "command goes on once that is mended."
            )


def measured(run_dir: Path, fold: int) -> list[dict[str, float]]:
    """A row for every test of a finished run, in the order of speakers.

    Args:
      run_dir: of the run.
      fold: its number.

    Returns:
      UA of every system, and `SKIPS` of the normal cell that was found.
    """
    rows = []
    for test in RunDirectory(run_dir).tests():
        if test.fold != fold:
            continue
        systems = read_json(test.metrics)["systems"]
        row = {name: numbers["ua"] for name, numbers in systems.items()}
        operations = [name for name, _ in load_genotype(test.genotype).normal]
        row[SKIPS] = operations.count("skip_connect")
        rows.append(row)
    return rows


def format_table(results: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """The sets beside the drawn cells and beside the first set.

    Args:
      results: set to rows of `measured`, over the same seeds and speakers; the
        first set's have the drawn cells'.
    """
    width = max(map(len, (*results, _DRAWN)))
    first = next(iter(results.values()))
    found = [row["retrained"] for row in first]
    drawn = [row[RANDOM] for row in first]
    blank = " " * (len(COMPARISON) - len("against drawn cells"))
    lines = [
        f"{'':{width}}  {'':9}  {'':6}  {'':6}  against drawn cells{blank}  "
        "against the first",
        f"{'options':{width}}  trainings  search  {'UA':>6}  {COMPARISON}  "
        f"{COMPARISON}  {SKIPS}",
        f"{_DRAWN:{width}}  {len(drawn):9}  {'':6}  {_percent(drawn)}",
    ]
    for name, rows in results.items():
        values = [row["retrained"] for row in rows]
        against_first = compare(values, found)
        if rows is first:
            against_first = " " * len(against_first)
        lines.append(
            f"{name:{width}}  {len(rows):9}  "
            f"{_percent([row['search'] for row in rows])}  "
            f"{_percent(values)}  {compare(values, drawn)}  {against_first}  "
            f"{statistics.fmean(row[SKIPS] for row in rows):5.1f}"
        )
    return "\n".join(lines)


def _percent(values: Sequence[float]) -> str:
    return f"{100 * statistics.fmean(values):6.1f}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--records_dir", type=Path, required=True)
    parser.add_argument("--work_dir", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--seeds", type=numbers, default="0")
    parser.add_argument("--sets", type=Path)
    for name in ("network", "search", "train"):
        parser.add_argument(f"--{name}", type=shlex.split, default=[])
    arguments = parser.parse_args()
    try:
        sets = parse_sets(read_sets(arguments.sets, SETS))
        check_flags(arguments, sets)
        results = {name: [] for name in sets}
        for seed in arguments.seeds:
            folder = arguments.work_dir / f"seed_{seed}"
            systems = ["retrained", RANDOM]
            for name, options in sets.items():
                run_dir = folder / name.replace(" ", "_")
                run_set(arguments, options, run_dir, seed, systems)
                results[name] += measured(run_dir, arguments.fold)
                # The drawn cell is the same for all sets.
                systems = ["retrained"]
            print(format_table(results), end="\n\n", flush=True)
    except UsageError as error:
        parser.error(str(error))
    except WorkError as error:
        parser.exit(error.exit_code, f"Error: {error}\n")


if __name__ == "__main__":
    main()
