"""What the report says about itself: commands, settings, environment."""

import importlib.metadata
import json
import platform
from pathlib import Path

from emotion_nas_tf.reporting import elements
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import read_json

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


def commands(run_directory: RunDirectory, tests: list[FoldDirectory]) -> str:
    """How to repeat the run, watch it, and use what it made."""
    folds = list(dict.fromkeys(str(test.fold) for test in tests))
    path = run_directory.path
    lines = [
        "# Repeat the run",
        _command(run_directory.config)
        or f"python -m emotion_nas_tf.run --run_dir={path} "
        f"--folds={','.join(folds)}",
        "# See its numbers in the paper's tables, its cells as figures",
        f"python -m emotion_nas_tf.report --tables --run_dir={path}",
        f"python -m emotion_nas_tf.report --figures --run_dir={path}",
        "# Watch every epoch, and hear what its tests misheard",
        f"python -m emotion_nas_tf.report --tensorboard --run_dir={path}",
        f"python -m tensorboard.main --logdir={path}",
    ]
    exported = [test.model for test in tests if test.model.is_dir()]
    if exported:
        lines += [
            "# Hear the emotion in a recording of your own",
            f"python -m emotion_nas_tf.predict --model={exported[0]} "
            "recording.wav",
        ]
    return "\n".join(lines)


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
    settings = _settings(path)
    if settings.get("program") != "ensemble":
        return ""
    runs = settings["run_dirs"]
    return elements.paragraph(
        "Several runs together: what a network answers is the mean of "
        f"{len(runs)} networks, one of each of {', '.join(runs)}."
    )


def _command(path: Path) -> str:
    """What a `config.json` says the run was made with; empty without."""
    return str(_settings(path).get("command", ""))


def _settings(path: Path) -> dict:
    try:
        return read_json(path)
    except (FileNotFoundError, WorkError):
        return {}
