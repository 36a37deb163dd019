"""The paper's procedure for one test, as steps that `cross_validation` runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emotion_nas_tf.config import FusionConfig, RunConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.evaluation.answers import system_probabilities
from emotion_nas_tf.evaluation.cross_validation import Step
from emotion_nas_tf.evaluation.fold_evaluation import evaluate_fold
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.serving.exporting import export_system
from emotion_nas_tf.serving.model_folder import exported_system
from emotion_nas_tf.serving.selection import (
    RESULTS,
    clips_of_test,
    encoder_is_at_hand,
)
from emotion_nas_tf.systems import (
    FUSION,
    RECURRENT,
    SPECTROGRAM,
    STREAMS,
    systems_of,
)
from emotion_nas_tf.training.candidate_search import search_recipe_fold
from emotion_nas_tf.training.comparators import train_comparators
from emotion_nas_tf.training.derived_systems import train_fold
from emotion_nas_tf.training.fuse_fold import fuse_fold
from emotion_nas_tf.training.recurrent_systems import train_recurrent_fold
from emotion_nas_tf.training.search_process import search_fold_in_process
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest


@dataclass(frozen=True)
class Procedure:
    """What `emotion_nas_tf.run` does, with all its settings.

    Attributes:
      records_dir: of the manifest.
      run_dir: of the run.
      manifest: the records.
      config: all settings.
      wav2vec_checkpoint: of the records' wav2vec, to be part of the model.
      search_threads: for one operation of a search in a process of its own;
        None: the search runs in this process.
    """

    records_dir: Path
    run_dir: Path
    manifest: RecordsManifest
    config: RunConfig
    wav2vec_checkpoint: Path | None = None
    search_threads: int | None = None

    @property
    def exported(self) -> str:
        """The system to be exported: the fusion where there are streams.

        The spectrogram's result alone where the other stream's encoder cannot
        be part of a model.
        """
        if not self.is_fused:
            return RESULTS[self.config.streams[0]]
        return "fusion" if self._can_pack_encoder else RESULTS[SPECTROGRAM]

    @property
    def is_exported(self) -> bool:
        """Whether `exported` can be a model that hears audio."""
        return SPECTROGRAM in self.config.streams or self._can_pack_encoder

    @property
    def _can_pack_encoder(self) -> bool:
        return encoder_is_at_hand(
            self.manifest.sequence, self.wav2vec_checkpoint
        )

    @property
    def systems(self) -> tuple[str, ...]:
        """All that a test is to have, in the order of tables."""
        return (
            *self._systems(SPECTROGRAM),
            *self._systems(RECURRENT),
            *(systems_of(FUSION) if self.is_fused else ()),
            *self.config.comparators,
        )

    def steps(self, fold: Fold) -> list[Step]:
        """The steps of one test, in order; each goes on after a kill."""
        config, directory = self.config, self.directory(fold)
        name = f"fold {fold.number}, test speaker {fold.test_speaker}"
        of_fold = (self.records_dir, self.manifest, fold, directory)

        def train(kind, systems, function, *arguments):
            # Called also when all is there, to refuse other settings.
            done = partial(_has_systems, directory, systems)
            work = partial(function, *of_fold, *arguments)
            return Step(name, kind, done, work, checks=True)

        steps = []
        if SPECTROGRAM in config.streams:
            search, *derived = self._systems(SPECTROGRAM)
            sizes = config.network
            steps += [
                train(
                    "search",
                    [search],
                    partial(search_fold_in_process, self.search_threads),
                    sizes,
                    config.search,
                ),
                train(
                    "train", derived, train_fold, sizes, config.train, derived
                ),
            ]
        if RECURRENT in config.streams:
            sizes, training = config.recurrent, config.recurrent_train
            systems = self._systems(RECURRENT)
            steps += [
                Step(
                    name,
                    "search of a recurrent cell",
                    directory.recipe.is_file,
                    partial(
                        search_recipe_fold,
                        *of_fold,
                        sizes,
                        training,
                        config.candidates,
                    ),
                    checks=True,
                ),
                train(
                    "train recurrent networks",
                    systems,
                    train_recurrent_fold,
                    sizes,
                    training,
                    systems,
                ),
            ]
        if config.comparators:
            steps.append(
                train(
                    "train comparators",
                    config.comparators,
                    train_comparators,
                    config.network,
                    config.train,
                    config.comparators,
                )
            )
        if self.is_fused:
            steps.append(
                train("fuse", systems_of(FUSION), _fuse, config.fusion)
            )
        steps.append(
            Step(
                name,
                "evaluate",
                partial(
                    has_results,
                    directory,
                    self.manifest.fingerprint,
                    self.systems,
                ),
                partial(evaluate_fold, self.records_dir, self.run_dir, fold),
            )
        )
        if self.is_exported:
            steps.append(
                Step(
                    name,
                    "export",
                    partial(has_model, directory, self.exported),
                    partial(
                        _export,
                        self.records_dir,
                        directory,
                        self.exported,
                        self.wav2vec_checkpoint,
                        self.is_fused and self.exported != "fusion",
                    ),
                )
            )
        return steps

    def _systems(self, stream: str) -> tuple[str, ...]:
        if stream not in self.config.streams:
            return ()
        if stream == SPECTROGRAM:
            return self.config.network.systems
        return systems_of(stream)

    @property
    def is_fused(self) -> bool:
        """Whether there are streams to be joined."""
        return set(self.config.streams) == set(STREAMS)

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
        set(systems) <= set(metrics.get("systems", ()))
        and metrics.get("fingerprint") == fingerprint
    )


def has_model(directory: FoldDirectory, system: str) -> bool:
    """Whether the model is of the system as it is now."""
    return exported_system(directory.model) == system and _is_up_to_date(
        directory, directory.model / "saved_model.pb", (system,)
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


def _fuse(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    config: FusionConfig,
) -> None:
    def answer(directory, system, indices):
        return system_probabilities(
            directory, system, records_dir, manifest, indices
        )

    fuse_fold(records_dir, manifest, fold, directory, config, answer)


def _export(
    records_dir: Path,
    directory: FoldDirectory,
    system: str,
    checkpoint: Path | None,
    lacks_encoder: bool,
) -> None:
    if lacks_encoder:
        print(
            "The model is the spectrogram stream alone: the encoder of the "
            "other one's features is not at hand. With wav2vec, "
            "--wav2vec_checkpoint=FILE packs both; encoders of PyTorch cannot "
            "be packed.",
            flush=True,
        )
    clips = clips_of_test(records_dir, directory)
    exported = export_system(
        directory, system, clips=clips, checkpoint=checkpoint
    )
    print(exported.to_text(), flush=True)
