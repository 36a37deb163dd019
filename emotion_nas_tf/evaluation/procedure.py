"""The paper's procedure for one test, as steps that `cross_validation` runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    SearchConfig,
)
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.evaluation.cross_validation import Step
from emotion_nas_tf.evaluation.fold_evaluation import evaluate_fold
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.serving.exporting import export_system
from emotion_nas_tf.serving.model_folder import exported_system
from emotion_nas_tf.serving.selection import clips_of_test
from emotion_nas_tf.training.derived_systems import train_fold
from emotion_nas_tf.training.searching import search_fold
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest

EXPORTED = "retrained"


@dataclass(frozen=True)
class Procedure:
    """What `emotion_nas_tf.run` does, with all its settings.

    Attributes:
      records_dir: of the manifest.
      run_dir: of the run.
      manifest: the records.
      network: size of the spectrogram networks.
      search: how their cells are searched.
      train: how derived networks are trained.
    """

    records_dir: Path
    run_dir: Path
    manifest: RecordsManifest
    network: NetworkConfig
    search: SearchConfig
    train: DerivedTrainConfig

    def steps(self, fold: Fold) -> list[Step]:
        """The steps of one test, in order; each goes on after a kill."""
        directory = self.directory(fold)
        name = f"fold {fold.number}, test speaker {fold.test_speaker}"
        step = partial(Step, name)
        derived = self.network.systems[1:]
        of_fold = (self.records_dir, self.manifest, fold, directory)
        return [
            step(
                "search",
                partial(_has_systems, directory, ("search",)),
                partial(search_fold, *of_fold, self.network, self.search),
                checks=True,
            ),
            step(
                "train",
                partial(_has_systems, directory, derived),
                partial(
                    train_fold, *of_fold, self.network, self.train, derived
                ),
                checks=True,
            ),
            step(
                "evaluate",
                partial(
                    has_results,
                    directory,
                    self.manifest.fingerprint,
                    self.network.systems,
                ),
                partial(evaluate_fold, self.records_dir, self.run_dir, fold),
            ),
            step(
                "export",
                partial(has_model, directory),
                partial(_export, self.records_dir, directory),
            ),
        ]

    def directory(self, fold: Fold) -> FoldDirectory:
        """Where a test's results lie."""
        return RunDirectory(self.run_dir).test(fold.number, fold.test_speaker)


def has_results(
    directory: FoldDirectory, fingerprint: str, systems: Sequence[str]
) -> bool:
    """Whether every network of a test, as it is now, has been evaluated."""
    if not _is_up_to_date(directory, directory.metrics, systems):
        return False
    metrics = read_json(directory.metrics)
    return (
        set(systems) <= set(metrics["systems"])
        and metrics["fingerprint"] == fingerprint
    )


def has_model(directory: FoldDirectory) -> bool:
    """Whether the exported network is of the system as it is now."""
    return exported_system(directory.model) == EXPORTED and _is_up_to_date(
        directory, directory.model / "saved_model.pb", (EXPORTED,)
    )


def _has_systems(directory: FoldDirectory, systems: Sequence[str]) -> bool:
    return all(directory.info(system).is_file() for system in systems)


def _is_up_to_date(
    directory: FoldDirectory, path: Path, systems: Sequence[str]
) -> bool:
    return (
        _has_systems(directory, systems)
        and path.is_file()
        and all(
            directory.info(system).stat().st_mtime <= path.stat().st_mtime
            for system in systems
        )
    )


def _export(records_dir: Path, directory: FoldDirectory) -> None:
    clips = clips_of_test(records_dir, directory)
    exported = export_system(directory, EXPORTED, clips=clips)
    print(exported.to_text(), flush=True)
