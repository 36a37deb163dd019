"""Flags of `emotion_nas_tf.ensemble`."""

from emotion_nas_tf.config import EnsembleConfig
from emotion_nas_tf.config.several_runs import check_several
from emotion_nas_tf.systems import FUSION, SYSTEMS, systems_of
from flags import run_dir_flags, several_runs_flags, systems_flags
from tfrecords_builder.errors import UsageError


def ensemble_config() -> EnsembleConfig:
    """What the flags ask for.

    Raises:
      UsageError: when they do not name several runs and a folder beside them,
        or name a system that no ensemble is made of.
    """
    runs = several_runs_flags.run_dirs()
    check_several(runs)
    if not run_dir_flags.run_dirs():
        raise UsageError(
            "Where does the ensemble go? Name a folder of its own, e.g. "
            "--run_dir=runs/ensemble."
        )
    run_dir = run_dir_flags.run_dir()
    if run_dir.resolve() in {path.resolve() for path in runs}:
        raise UsageError(
            f"--run_dir={run_dir} is one of --run_dirs: its networks would be "
            "replaced. Name a folder of its own, e.g. --run_dir=runs/ensemble."
        )
    _check_systems(systems_flags.systems())
    return EnsembleConfig(runs, run_dir, systems_flags.systems())


def _check_systems(systems: tuple[str, ...]) -> None:
    fusions = systems_of(FUSION)
    known = [name for name in SYSTEMS if name not in fusions]
    unknown = [name for name in systems if name not in known]
    if not unknown:
        return
    if set(unknown) <= set(fusions):
        raise UsageError(
            f"--systems: {', '.join(unknown)} joins streams that are there; "
            "`python -m emotion_nas_tf.fuse` makes it of the ensemble's."
        )
    raise UsageError(
        f"--systems: {', '.join(unknown)} is no system that several runs can "
        f"have; known are {', '.join(known)}."
    )
