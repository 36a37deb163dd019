"""Cross-fitting: what streams say of training speakers they never heard.

    group 1 left out   streams trained on groups 2, 3, 4   answer on group 1
    group 2 left out   streams trained on groups 1, 3, 4   answer on group 2
    ...

A stream is far surer of its own training speakers than of anybody else; a
perceptron fitted on that learns to believe the stream that has learnt its
speakers by heart (Wolpert, Stacked Generalization, Neural Networks 1992). The
cells stay the ones found with everybody; their weights are trained anew.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from emotion_nas_tf.config import DerivedTrainConfig, RecurrentTrainConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.networks.members import members_of
from emotion_nas_tf.networks.system import load_info
from emotion_nas_tf.recurrent.system import load_recurrent_info
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.systems import RECURRENT, SYSTEMS
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.recurrent_data import load_recurrent_data
from emotion_nas_tf.training.recurrent_systems import train_recurrent_system
from emotion_nas_tf.training.state import CONFIG_NAME, claim_folder
from emotion_nas_tf.training.supervised import load_training_data, train_system
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest
from tfrecords_builder.utterance import natural_key

# These are no training of their own, or one that alpha goes through.
_NOT_TRAINED_ALONE = ("search", "inherited")

_Config = TypeVar("_Config")


@dataclass(frozen=True)
class Group:
    """Training speakers that are left out together.

    Attributes:
      fold: the fold whose training speakers are the others.
      left_out: positions of the group's utterances in the manifest.
      speakers: of the group.
    """

    fold: Fold
    left_out: tuple[int, ...]
    speakers: tuple[str, ...]


def make_groups(
    manifest: RecordsManifest, fold: Fold, num_groups: int | None = None
) -> list[Group]:
    """Divides the training speakers: whole sessions, or speakers of one.

    Args:
      manifest: the records.
      fold: the test.
      num_groups: at most; None for one a session.

    Raises:
      UsageError: when there is nobody to leave out, or the others lack a
        class.
    """
    entries = [manifest.entries[index] for index in fold.training]
    sessions = {entry.session for entry in entries}
    # A single session still has two speakers.
    unit = "session" if len(sessions) > 1 else "speaker"
    units = sorted({getattr(e, unit) for e in entries}, key=natural_key)
    if len(units) < 2:
        raise UsageError(
            f"Fold {fold.number} trains on the one speaker {units[0]}: nobody "
            "can be left out. Give --fusion_data=validation or training."
        )
    parts = np.array_split(units, min(num_groups or len(units), len(units)))
    return [_group(manifest, fold, unit, set(part)) for part in parts]


def check_trained_alone(systems: Sequence[str]) -> None:
    """Refuses systems that cannot be trained without some speakers.

    Raises:
      UsageError: when one is none that is trained by itself.
    """
    alone = [name for name in systems if name in _NOT_TRAINED_ALONE]
    if alone:
        raise UsageError(
            f"The system {', '.join(alone)} cannot be trained without some "
            "speakers, as --fusion_data=cross_fitted wants: it comes from the "
            "search. Fuse retrained instead, or give --fusion_data=validation."
        )


def cross_fit(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    systems: Sequence[str],
    num_groups: int | None = None,
) -> list[tuple[FoldDirectory, Group]]:
    """Trains systems anew without each group; what is finished is kept.

    Every training has the settings of the one it repeats, the validation
    speaker included, and goes on after a kill.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test.
      directory: its folder.
      systems: to train, of both streams.
      num_groups: see `make_groups`.

    Returns:
      For each group the folder that holds the systems trained without it, and
      the group.

    Raises:
      UsageError: when a system is none that is trained by itself, or a folder
        holds a training of other settings.
      WorkError: when a loss stops being finite.
    """
    check_trained_alone(systems)
    groups = make_groups(manifest, fold, num_groups)
    found = []
    for number, group in enumerate(groups, start=1):
        name = f"{number}_of_{len(groups)}"
        without = FoldDirectory(directory.fusion / "cross_fit" / name)
        claim_folder(
            without.path,
            {
                "program": "fuse",
                "records": manifest.digest,
                "test_speaker": fold.test_speaker,
                "left_out": list(group.speakers),
            },
        )
        for system in systems:
            show_progress(
                f"Cross-fitting {name.replace('_', ' ')}: {system} without "
                f"{', '.join(group.speakers)}"
            )
            _train(
                records_dir, manifest, group.fold, directory, without, system
            )
        found.append((without, group))
    return found


def check_no_ensembles(
    directory: FoldDirectory, systems: Sequence[str]
) -> None:
    """Refuses ensembles: each member's training is a run's of its own.

    Args:
      directory: the test's folder.
      systems: of it, to be trained anew.

    Raises:
      UsageError: when one has members.
    """
    joined = [name for name in systems if members_of(directory.system(name))]
    if joined:
        raise UsageError(
            f"{', '.join(joined)} in {directory.path} is an ensemble of "
            "several runs' networks, which --fusion_data=cross_fitted does not "
            "train again. Give --fusion_data=validation or training."
        )


def _train(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    without: FoldDirectory,
    system: str,
) -> None:
    """Repeats the training of `directory`'s system, on this fold."""
    noted = read_json(directory.system(system) / CONFIG_NAME)
    if SYSTEMS[system].stream == RECURRENT:
        info = load_recurrent_info(directory, system)
        train_recurrent_system(
            system,
            without.system(system),
            load_recurrent_data(records_dir, manifest, fold),
            manifest,
            fold,
            info.recipe,
            info.network,
            _read_config(RecurrentTrainConfig, noted),
        )
    else:
        info = load_info(directory, system)
        train_system(
            system,
            without.system(system),
            load_training_data(records_dir, manifest, fold),
            manifest,
            fold,
            info.genotype,
            info.network,
            _read_config(DerivedTrainConfig, noted),
        )


def _read_config(kind: type[_Config], noted: dict) -> _Config:
    """Those of the settings noted in a folder that are of this kind."""
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: v for name, v in noted.items() if name in names})


def _group(
    manifest: RecordsManifest, fold: Fold, unit: str, names: set[str]
) -> Group:
    is_out = {
        index: getattr(manifest.entries[index], unit) in names
        for index in fold.training
    }
    kept, left_out = (
        tuple(index for index, out in is_out.items() if out == wanted)
        for wanted in (False, True)
    )
    speakers = {manifest.entries[index].speaker for index in left_out}
    missing = set(range(len(manifest.label_names))) - {
        manifest.entries[index].label for index in kept
    }
    if missing:
        classes = ", ".join(manifest.label_names[i] for i in sorted(missing))
        raise UsageError(
            f"Fold {fold.number}: without {', '.join(sorted(speakers))} nobody "
            f"trains {classes}. Give --fusion_data=validation or training, or "
            "more --cross_fit_groups."
        )
    return Group(
        fold=dataclasses.replace(
            fold,
            training=kept,
            training_speakers=tuple(
                s for s in fold.training_speakers if s not in speakers
            ),
        ),
        left_out=left_out,
        speakers=tuple(sorted(speakers, key=natural_key)),
    )
