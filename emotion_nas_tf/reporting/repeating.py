"""What the report says about itself: commands, settings, environment."""

import importlib.metadata
import json
import os
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.noted_commands import noted_commands
from emotion_nas_tf.reporting.noted_work import EVALUATE, FUSE, PROGRAMS
from emotion_nas_tf.reporting.reading import read_values
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from tfrecords_builder.records import RecordsManifest

_PACKAGES = (
    "emotion-nas-tf",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "numpy",
    "scipy",
    "librosa",
    "soundfile",
    "joblib",
    "matplotlib",
)


# In place of a folder that is not known.
_RECORDS = "RECORDS"


def commands(
    run_directory: RunDirectory,
    tests: Sequence[FoldDirectory],
    records_dir: Path | None = None,
    manifest: RecordsManifest | None = None,
) -> str:
    """How to repeat the run, watch it, and use what it made.

    Args:
      run_directory: the run.
      tests: its tests.
      records_dir: its records.
      manifest: theirs; None where they are not at hand.
    """
    run_dir = f"--run_dir={run_directory.path}"
    at_hand = manifest is not None and records_dir is not None
    records = (f"--records_dir={records_dir}",) if at_hand else ()
    report = "emotion_nas_tf.report"
    lines = [
        *_repetition(run_directory, tests, records, manifest),
        "# See its numbers in the paper's tables, its cells as figures",
        _python(report, "--tables", run_dir),
        _python(report, "--figures", run_dir),
        "# Watch every epoch, and hear what its tests misheard",
        _python(report, "--tensorboard", *records, run_dir),
        _python("tensorboard.main", f"--logdir={run_directory.path}"),
    ]
    exported = [test.model for test in tests if test.model.is_dir()]
    if exported:
        predict = "emotion_nas_tf.predict"
        lines += [
            "# Hear the emotion in a recording of your own",
            _python(predict, f"--model={exported[0]}", "recording.wav"),
        ]
    return "\n".join(lines)


def _repetition(
    run_directory: RunDirectory,
    tests: Sequence[FoldDirectory],
    records: Sequence[str],
    manifest: RecordsManifest | None,
) -> list[str]:
    """The commands that were noted, or those that the settings amount to."""
    settings = read_values(run_directory.config)
    noted = str(settings.get("command", "")).splitlines()
    of_several = settings.get("program") == "ensemble"
    lines = ["# Repeat the run"]
    if of_several:
        lines += _its_runs(settings, run_directory.path)
    for command in noted:
        lines += _from_its_folder(command, run_directory.path)
    if noted and not of_several:
        return lines
    programs = (FUSE, EVALUATE) if of_several else PROGRAMS
    place = (*(records or [f"--records_dir={_RECORDS}"]),)
    path = run_directory.path
    found = noted_commands(
        tests, (*place, f"--run_dir={path}"), manifest, programs
    )
    if found.lacking:
        again = f"--run_dir={path.with_name(f'{path.name}_again')}"
        found = noted_commands(tests, (*place, again), manifest, programs)
    if not of_several:
        lines.append(
            "# No command was noted; its folders' settings amount to these:"
            if found.commands
            else "# No command was noted."
        )
    if found.commands and not records:
        lines.append(
            f"# {_RECORDS} stands for the folder of its records, which were "
            "not at hand."
        )
    if found.lacking:
        lines.append(
            "# An earlier release made it, without the settings "
            f"{', '.join(found.lacking)}: now it takes a folder of its own."
        )
    lines += [f"# {note}" for note in found.notes]
    return [*lines, *found.commands]


def _its_runs(settings: Mapping, path: Path) -> list[str]:
    """Where the runs of an ensemble lie, and how to see what made them."""
    command, *_ = [*str(settings.get("command", "")).splitlines(), ""]
    folder = _folder_of(command, path) or Path()
    runs = [folder / run for run in settings.get("run_dirs", [])]
    gone = [str(run) for run in runs if not run.is_dir()]
    lines = [f"# Its runs: {', '.join(map(str, runs))}"]
    if gone:
        lines.append(f"# Not there: {', '.join(gone)}")
    return [
        *lines,
        "# The page of each says how to repeat it",
        *(
            _python("emotion_nas_tf.report", f"--run_dir={run}")
            for run in runs
            if run.is_dir()
        ),
        "# What they answer together",
        *([] if command else ["# (the ensemble's command was not noted)"]),
    ]


def _from_its_folder(command: str, path: Path) -> list[str]:
    """A noted command, in the folder it was called in.

    Args:
      command: that made the run.
      path: the run's folder, as it is called here.
    """
    folder = _folder_of(command, path)
    if folder is None:
        return [f"# (in the folder from which {path.name} was made)", command]
    if folder == Path():
        return [command]
    return [f"(cd {shlex.quote(str(folder))} && {command})"]


def _folder_of(command: str, path: Path) -> Path | None:
    """Where a run's command was called, from here; None if nothing says so."""
    given = re.findall(r"--run_dir[= ](\S+)", command)
    # A file of flags may name another one.
    there = Path(given[-1].strip("'\"")) if given else None
    if there is None or there.is_absolute() or there == path:
        return Path()
    whole = path.absolute()
    if whole.parts[-len(there.parts) :] != there.parts:
        return None
    folder = Path(*whole.parts[: -len(there.parts)])
    return folder if path.is_absolute() else Path(os.path.relpath(folder))


def _python(module: str, *words: str) -> str:
    return shlex.join(["python", "-m", module, *words])


def configuration(path: Path) -> str:
    """A `config.json`, as it is; empty without one."""
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return elements.paragraph(f"{path} is damaged: it is not JSON.")
    return elements.preformatted(text)


def environment() -> str:
    """Where the page was written."""
    lines = [f"Python {platform.python_version()}", platform.platform()]
    for package in _PACKAGES:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        lines.append(f"{package} {version}")
    return "\n".join(lines)


def of_several_runs(path: Path) -> str:
    """That a run is several runs together, if its `config.json` says so."""
    settings = read_values(path)
    if settings.get("program") != "ensemble":
        return ""
    runs = settings["run_dirs"]
    return elements.paragraph(
        "Several runs together: what a network answers is the mean of "
        f"{len(runs)} networks, one of each of {', '.join(runs)}."
    )
