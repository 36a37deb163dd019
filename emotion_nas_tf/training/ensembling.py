"""Ensembles of runs, on disk: a run whose networks are several runs' together.

    seed0/fold_2/test_08/recurrent/gru ─┐
    seed1/fold_2/test_08/recurrent/gru ─┴─ ensemble/fold_2/test_08/recurrent/gru
                                             member_1/ member_2/ network.json

Nothing is trained. What reads a run reads an ensemble as well: see
`networks.ensemble`.
"""

import filecmp
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from emotion_nas_tf.networks.members import has_members, member_folder
from emotion_nas_tf.networks.system import WEIGHTS_NAME
from emotion_nas_tf.run_directory import (
    GENOTYPE_NAME,
    INFO_NAME,
    RECIPE_NAME,
    FoldDirectory,
    RunDirectory,
)
from emotion_nas_tf.systems import FUSION, SYSTEMS, systems_of
from emotion_nas_tf.training.comparators import FUNCTIONALS_NAME
from emotion_nas_tf.training.ensemble_parts import (
    PLAIN,
    SAVE,
    Part,
    Shared,
    shared_parts,
)
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, replacing

_MEMBER_FILES = (WEIGHTS_NAME, GENOTYPE_NAME, RECIPE_NAME, INFO_NAME)


def make_ensemble(
    run_dirs: Sequence[Path],
    run_dir: Path,
    systems: Sequence[str] = (),
    command: str = "",
) -> Shared:
    """Makes an ensemble of runs; what is there and still the same is kept.

    Killed and called again it ends with the same files. What the runs no
    longer have in common is removed, unless `systems` names some.

    Args:
      run_dirs: the runs, two or more; members are in their order.
      run_dir: the ensemble's folder, a run of its own.
      systems: names that every run must have; empty for all that every run
        has.
      command: noted in the folder, to repeat it.

    Returns:
      What it consists of.

    Raises:
      UsageError: see `shared_parts`; when `run_dir` is another run, or an
        ensemble of other runs, or somebody's network would be removed.
      WorkError: when a run's file is damaged.
    """
    runs = [RunDirectory(Path(path)) for path in run_dirs]
    ensemble = RunDirectory(Path(run_dir))
    shared = shared_parts(runs, ensemble, systems)
    settings = {
        "program": "ensemble",
        "run_dirs": [run.path.as_posix() for run in runs],
    }
    claim_folder(ensemble.path, settings, command)
    if not systems:
        _remove_others(ensemble, shared)
    for part in shared.parts:
        if part.system in PLAIN:
            _copy_plain(part)
        else:
            claim_folder(part.folder, settings)
            _join_networks(part)
    for directory, of_runs in shared.tests:
        _copy_cells(directory, of_runs, lambda each: each.genotype)
        _copy_cells(directory, of_runs, lambda each: each.recipe)
    if any(part.system == "opensmile_svm" for part in shared.parts):
        _copy_functionals(runs[0].path, ensemble.path)
    return shared


def _remove_others(ensemble: RunDirectory, shared: Shared) -> None:
    """What an earlier call has made of tests and systems no longer shared.

    Raises:
      UsageError: when a test that would be removed holds somebody's network.
    """
    tests = {directory.path for directory, _ in shared.tests}
    parts = {part.folder for part in shared.parts}
    # Their perceptrons have weights too, and are fitted anew.
    fusions = systems_of(FUSION)
    gone = [test for test in ensemble.tests() if test.path not in tests]
    for directory in gone:
        for system in SYSTEMS:
            folder = directory.system(system)
            if (folder / WEIGHTS_NAME).exists() and system not in fusions:
                raise UsageError(
                    f"{folder} holds a network that is no ensemble, of a test "
                    "that is not in every run any more: it would be lost. "
                    "Move it, or name another --run_dir."
                )
    for directory in gone:
        shutil.rmtree(directory.path)
    for directory in ensemble.tests():
        for system in SYSTEMS:
            folder = directory.system(system)
            if folder in parts or not (system in PLAIN or has_members(folder)):
                continue
            (folder / INFO_NAME).unlink(missing_ok=True)
            for member in folder.glob("member_*"):
                shutil.rmtree(member)


def _join_networks(part: Part) -> None:
    """Members first, then `network.json`: from then on the system exists."""
    folder = part.folder
    members = {
        member_folder(folder, number): source
        for number, source in enumerate(part.sources, start=1)
    }
    # What a kill has left, or a run that is a member no longer.
    others = [
        path
        for pattern in ("member_*", ".member_*")
        for path in folder.glob(pattern)
        if path not in members
    ]
    changed = [
        (member, source)
        for member, source in members.items()
        if not _is_same(member, source)
    ]
    path = folder / INFO_NAME
    if changed or others:
        # An older one would pass for what the new members are.
        path.unlink(missing_ok=True)
    for other in others:
        shutil.rmtree(other)
    for member, source in changed:
        _copy_folder(source, member, _names(source))
    if not path.is_file():
        SAVE[SYSTEMS[part.system].stream](folder, part.info)


def _copy_plain(part: Part) -> None:
    """What has no networks is the first run's."""
    source, folder = part.sources[0], part.folder
    names = sorted(path.name for path in source.iterdir() if path.is_file())
    if not _is_same(folder, source, names):
        _copy_folder(source, folder, names)


def _names(source: Path) -> list[str]:
    """The files that a member consists of."""
    return [name for name in _MEMBER_FILES if (source / name).is_file()]


def _is_same(
    folder: Path, source: Path, names: Sequence[str] | None = None
) -> bool:
    """Whether a folder has these files, byte for byte, and no others."""
    names = _names(source) if names is None else names
    there = {path.name for path in folder.glob("*")}
    return there == {*names} and all(
        filecmp.cmp(folder / name, source / name, shallow=False)
        for name in names
    )


def _copy_folder(source: Path, folder: Path, names: Sequence[str]) -> None:
    """Copies files into a folder that is there whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.part")
    for path in (unfinished, folder):
        if path.exists():
            shutil.rmtree(path)
    unfinished.mkdir()
    for name in names:
        _copy(source / name, unfinished / name)
    unfinished.rename(folder)


def _copy(source: Path, path: Path) -> None:
    with replacing(path) as temporary:
        # The content alone: whoever measured an older one looks at its age.
        shutil.copyfile(source, temporary)


def _copy_cells(
    directory: FoldDirectory,
    of_runs: Sequence[FoldDirectory],
    path_of: Callable[[FoldDirectory], Path],
) -> None:
    """The found cells, for figures, where every run has found the same."""
    path, sources = path_of(directory), [path_of(each) for each in of_runs]
    is_one = all(source.is_file() for source in sources) and all(
        read_json(source) == read_json(sources[0]) for source in sources
    )
    if not is_one:
        path.unlink(missing_ok=True)
    elif not (path.is_file() and filecmp.cmp(path, sources[0], shallow=False)):
        path.parent.mkdir(parents=True, exist_ok=True)
        _copy(sources[0], path)


def _copy_functionals(source: Path, run_dir: Path) -> None:
    """openSMILE's features, so that it need not hear everything again."""
    folder = source / FUNCTIONALS_NAME
    for path in sorted(folder.rglob("*.npy")):
        copy = run_dir / FUNCTIONALS_NAME / path.relative_to(folder)
        if not copy.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, copy)
