"""What several runs have in common, to be made an ensemble of.

seed0   fold 2: retrained recipe gru     fold 3: retrained
seed1   fold 2: retrained recipe         fold 3: retrained
        parts:  retrained recipe                 retrained
"""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.networks.baselines.info import (
    load_comparator_info,
    save_comparator_info,
)
from emotion_nas_tf.networks.members import has_members, members_of
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    load_info,
    save_info,
)
from emotion_nas_tf.recurrent.system import (
    load_recurrent_info,
    save_recurrent_info,
)
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import (
    COMPARATORS,
    FUSION,
    RECURRENT,
    SPECTROGRAM,
    SYSTEMS,
    System,
)
from emotion_nas_tf.training.members_alike import Info, check_alike
from tfrecords_builder.errors import UsageError

# The same in every run of the same records: nothing to average.
PLAIN = ("majority", "opensmile_svm")
_LOAD: dict[str, Callable[[FoldDirectory, str], Info]] = {
    SPECTROGRAM: load_info,
    RECURRENT: load_recurrent_info,
    COMPARATORS: lambda directory, system: load_comparator_info(
        directory.system(system), system
    ),
}
SAVE: dict[str, Callable[[Path, Info], None]] = {
    SPECTROGRAM: save_info,
    RECURRENT: save_recurrent_info,
    COMPARATORS: save_comparator_info,
}


@dataclass(frozen=True)
class Part:
    """One system of one test.

    Attributes:
      directory: the test's folder in the ensemble.
      system: its name.
      sources: the system's folders in the runs, in their order.
      info: what the ensemble's `network.json` says.
    """

    directory: FoldDirectory
    system: str
    sources: tuple[Path, ...]
    info: Info

    @property
    def folder(self) -> Path:
        """Where it goes."""
        return self.directory.system(self.system)


@dataclass(frozen=True)
class Shared:
    """What runs have in common.

    Attributes:
      tests: the tests' folders in the ensemble and, for each, in the runs.
      parts: their systems, by test and in the order of tables.
      left_out: tests and systems that some runs lack or that differ between
        them, for people.
    """

    tests: tuple[tuple[FoldDirectory, tuple[FoldDirectory, ...]], ...]
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]


def shared_parts(
    runs: Sequence[RunDirectory],
    ensemble: RunDirectory,
    systems: Sequence[str] = (),
) -> Shared:
    """What an ensemble of runs consists of; writes nothing.

    Args:
      runs: two or more.
      ensemble: where it goes.
      systems: names that every run must have in every test; empty for all
        that every run has.

    Raises:
      UsageError: when a run is not there or lacks a system, nothing is
        shared, networks are of different sizes, records, features or classes,
        or there is something else where the ensemble goes.
      WorkError: when a run's file is damaged.
    """
    for run in runs:
        run.check_exists()
    _check_own(ensemble)
    tests, left_out = _shared_tests(runs, ensemble)
    wanted = [
        system
        for system in SYSTEMS.values()
        if system.stream != FUSION and (not systems or system.name in systems)
    ]
    parts: list[Part] = []
    for directory, of_runs in tests:
        for system in wanted:
            lacking = [
                each for each in of_runs if not each.info(system.name).is_file()
            ]
            part = None if lacking else _part(directory, system, of_runs)
            if part is not None:
                parts.append(part)
            elif systems:
                raise _refusal(directory, system, lacking)
            elif len(lacking) < len(runs):
                reason = (
                    "not in every run" if lacking else "not the same in all"
                )
                left_out.append(
                    f"{system.name} of {_title(directory)}, {reason}"
                )
    if not parts:
        raise UsageError(
            f"{', '.join(str(run.path) for run in runs)} have no trained "
            "system in common: nothing can answer together."
        )
    _check_records(parts)
    return Shared(tuple(tests), tuple(parts), tuple(left_out))


def _check_own(ensemble: RunDirectory) -> None:
    """Refuses the folder of a run that programs have made step by step."""
    if ensemble.tests() and not ensemble.config.is_file():
        raise UsageError(
            f"{ensemble.path} is another run: what it holds would be mixed up "
            "with the ensemble. Name another --run_dir."
        )


def _shared_tests(
    runs: Sequence[RunDirectory], ensemble: RunDirectory
) -> tuple[list[tuple[FoldDirectory, tuple[FoldDirectory, ...]]], list[str]]:
    shared, left_out = [], []
    names = {
        (test.fold, test.test_speaker): None
        for run in runs
        for test in run.tests()
    }
    for fold, speaker in names:
        directory = ensemble.test(fold, speaker)
        of_runs = tuple(run.test(fold, speaker) for run in runs)
        if all(each.path.is_dir() for each in of_runs):
            shared.append((directory, of_runs))
        else:
            left_out.append(f"{_title(directory)}, not in every run")
    if not shared:
        has = [
            f"{run.path} has "
            + (" and ".join(map(_title, run.tests())) or "no test")
            for run in runs
        ]
        raise UsageError(
            f"No fold and test speaker is in every run: {'; '.join(has)}."
        )
    return shared, left_out


def _part(
    directory: FoldDirectory, system: System, of_runs: Sequence[FoldDirectory]
) -> Part | None:
    """None for what has no networks and is not the same in every run.

    Raises:
      UsageError: see `shared_parts`.
    """
    sources = tuple(each.system(system.name) for each in of_runs)
    infos = [_LOAD[system.stream](each, system.name) for each in of_runs]
    part = Part(directory, system.name, sources, infos[0])
    if system.name in PLAIN:
        return part if all(info == infos[0] for info in infos) else None
    for source, info in zip(sources, infos, strict=True):
        if members_of(source):
            raise UsageError(
                f"{source} is an ensemble itself. Name the runs that it is "
                "made of."
            )
        if not (source / WEIGHTS_NAME).is_file():
            raise UsageError(
                f"{source / WEIGHTS_NAME} is missing. `python -m "
                f"{system.program}` makes it anew where network.json is "
                "removed."
            )
        check_alike(infos[0], sources[0], info, source)
    folder = part.folder
    if (folder / WEIGHTS_NAME).exists() or (
        directory.info(system.name).is_file() and not has_members(folder)
    ):
        raise UsageError(
            f"{folder} holds a network that is no ensemble: it would be lost. "
            "Name another --run_dir."
        )
    return dataclasses.replace(part, info=_join(infos))


def _check_records(parts: Sequence[Part]) -> None:
    """Refuses systems and tests of different records."""
    first = parts[0]
    for part in parts:
        if part.info.records != first.info.records:
            raise UsageError(
                f"{part.sources[0]} and {first.sources[0]} are of different "
                f"records (digest {part.info.records[:12]} and "
                f"{first.info.records[:12]}). Name what is of the same ones "
                "with --systems."
            )


def _join(infos: Sequence[Info]) -> Info:
    """What the members' ensemble is: the first one, with all's numbers."""
    changes = {"parameters": sum(info.parameters for info in infos)}
    for name in ("validation_ua", "validation_loss"):
        values = [getattr(info, name, None) for info in infos]
        if hasattr(infos[0], name):
            changes[name] = None if None in values else statistics.fmean(values)
    return dataclasses.replace(infos[0], **changes)


def _refusal(
    test: FoldDirectory, system: System, lacking: Sequence[FoldDirectory]
) -> UsageError:
    """Why a system that was named cannot be there."""
    if not lacking:
        return UsageError(
            f"{system.name} of {_title(test)} is not the same in every run, "
            "and has no networks to be averaged: leave it out of --systems."
        )
    return UsageError(
        f"{lacking[0].path.parents[1]} does not hold the system {system.name} "
        f"of {_title(test)}. `python -m {system.program}` with that --run_dir "
        "and --fold makes it."
    )


def _title(test: FoldDirectory) -> str:
    return f"fold {test.fold}, test speaker {test.test_speaker}"
