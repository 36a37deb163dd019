"""Does an option of the search find better cells? Over seeds, by UA.

    python -m benchmarks.search_options --records_dir=RECORDS --work_dir=WORK
        --fold=2 --seeds=0,1,2 [--sets=FILE] [--network="FLAGS"]
        [--search="FLAGS"] [--train="FLAGS"] [--allow_missing_classes]

For every seed and set of options: `emotion_nas_tf.search` with the set,
`emotion_nas_tf.train` of the cell that it found, `emotion_nas_tf.evaluate` on
both speakers of the session that was left out. For every seed and test speaker
a cell is drawn and trained alike, once for all sets. FLAGS are the same for all
sets: of search and training, of the search alone, of the training alone.
--allow_missing_classes goes to all three programs.

FILE holds a set a line, `name: flags of emotion_nas_tf.search`; without it,
`SETS`. The first set is what the others are compared with; all are compared
with the drawn cells: by the mean difference over the same speakers and seeds,
its standard error, and how many are better or worse. Alphas of the paper move
on the validation speaker, so that the test speakers' UA is the only one that
nothing was fitted to: a set chosen by it is flattered by the choice.
Killed, the same command goes on; a table is printed after every seed.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.ablation_table import COMPARISON, compare
from benchmarks.option_sets import (
    flags_given,
    folder_name,
    numbers,
    parse_sets,
    read_sets,
    refuse_seed,
)
from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import load_genotype
from emotion_nas_tf.worker_processes import call_in_process
from flags import (
    candidate_flags,
    network_flags,
    recurrent_flags,
    recurrent_train_flags,
    search_flags,
    train_flags,
)
from flags.given import given_flags
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
_RECURRENT = (recurrent_flags, recurrent_train_flags, candidate_flags)
# Other flags, as the network's, are of both.
_OF_ONE_PROGRAM = {"search": search_flags, "train": train_flags}


def check_flags(
    arguments: argparse.Namespace, sets: Mapping[str, Sequence[str]]
) -> None:
    """Refuses before the first search what a later program would refuse.

    Also what would make a comparison of unlike things.

    Args:
      arguments: the program's.
      sets: name to flags.

    Raises:
      UsageError: for a flag that does not exist, is not for its place or does
        nothing, a value it cannot have, or flags that contradict each other.
    """
    _refuse_misplaced(arguments.network, None)
    _refuse_misplaced(arguments.search, "search")
    _refuse_misplaced(arguments.train, "train")
    settings = []
    for name, options in sets.items():
        _refuse_misplaced(options, "search")
        with flags_given(options):
            if "derivation" in given_flags(search_flags):
                raise UsageError(
                    f"--derivation cannot be in one set ({name!r}): the drawn "
                    "cells, which all sets are compared with, have edges as "
                    "the first set's. Give it in --search, for all."
                )
        with flags_given([*arguments.network, *arguments.search, *options]):
            settings.append(
                (network_flags.network_config(), search_flags.search_config())
            )
    with flags_given([*arguments.network, *arguments.train]):
        network_flags.network_config()
        train_flags.train_config()
    # Apart, because TensorFlow would hold a GPU's memory from the searches.
    call_in_process(_check_settings, settings, kernel_threads=1)


def _refuse_misplaced(options: Sequence[str], taker: str | None) -> None:
    """Refuses flags that do not belong where they were given.

    Args:
      options: given in one place.
      taker: the program that is started with them; None for both.
    """
    with flags_given(options):
        refuse_seed()
        for name in given_flags(*_RECURRENT):
            raise UsageError(
                f"--{name} does nothing here: it is of the recurrent stream, "
                "which is not searched. Leave it out."
            )
        for program, module in _OF_ONE_PROGRAM.items():
            for name in given_flags(module) if program != taker else ():
                raise UsageError(
                    f"{shlex.join(options)}: --{name} is a flag of "
                    f"emotion_nas_tf.{program} alone. Give it in --{program}."
                )


def _check_settings(
    settings: Sequence[tuple[NetworkConfig, SearchConfig]],
) -> None:
    from emotion_nas_tf.training.search_checks import check_search_settings

    for network_config, search_config in settings:
        check_search_settings(network_config, search_config)


def run_set(
    arguments: argparse.Namespace,
    options: Sequence[str],
    run_dir: Path,
    seed: int,
    systems: Sequence[str],
) -> None:
    """Search, training and test of one set with one seed.

    All three programs are started, also for a set that is done: search and
    training keep what is finished, and refuse it when it was made with other
    settings; the test is repeated.

    Args:
      arguments: the program's.
      options: of the set.
      run_dir: takes the results.
      seed: of search and training.
      systems: to be trained.

    Raises:
      UsageError: when a program refuses what it was asked; it has said why.
      WorkError: when a program fails; it has said why.
    """
    common = [
        f"--records_dir={arguments.records_dir}",
        f"--run_dir={run_dir}",
        f"--fold={arguments.fold}",
    ]
    if arguments.allow_missing_classes:
        common.append("--allow_missing_classes")
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
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        if code == UsageError.exit_code:
            raise UsageError(
                f"emotion_nas_tf.{program} refused what it was asked, as it "
                "says above. Change the flags, or name another --work_dir."
            )
        if code:
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
        row = {name: scores["ua"] for name, scores in systems.items()}
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
    parser.add_argument("--allow_missing_classes", action="store_true")
    for name in ("network", "search", "train"):
        parser.add_argument(f"--{name}", type=shlex.split, default=[])
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        sets = parse_sets(read_sets(arguments.sets, SETS))
        check_flags(arguments, sets)
        results = {name: [] for name in sets}
        for seed in arguments.seeds:
            folder = arguments.work_dir / f"seed_{seed}"
            systems = ["retrained", RANDOM]
            for name, options in sets.items():
                run_dir = folder / folder_name(name)
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
