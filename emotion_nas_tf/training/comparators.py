"""The comparators of one test: majority class, plain CNN, openSMILE and SVM.

All of them see what the searched networks see: the training speakers, and the
validation speaker for what has to be chosen.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import DerivedTrainConfig, NetworkConfig, as_json
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.networks.baselines.cnn import build_cnn, matching_width
from emotion_nas_tf.networks.baselines.info import (
    describe_comparator,
    save_comparator_info,
)
from emotion_nas_tf.networks.system import count_parameters, has_system
from emotion_nas_tf.run_directory import INFO_NAME, FoldDirectory
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training.augmenting import spectrogram_augmentation
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.metrics import (
    confusion_matrix,
    unweighted_accuracy,
)
from emotion_nas_tf.training.state import claim_folder
from emotion_nas_tf.training.supervised import (
    fit_network,
    load_training_data,
)
from emotion_nas_tf.training.support_vectors import (
    COSTS,
    choose_linear_machine,
)
from tfrecords_builder.features.functionals import (
    Functionals,
    opensmile_version,
)
from tfrecords_builder.records import RecordsManifest

MACHINE_NAME = "machine.npz"
# In the run's folder: features are the same in every fold.
FUNCTIONALS_NAME = "opensmile"


def train_comparators(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: NetworkConfig,
    config: DerivedTrainConfig,
    systems: Sequence[str],
) -> None:
    """Makes the comparators asked for; what is finished is kept.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test.
      directory: its folder.
      network_config: size of the derived networks, which the CNN's is like.
      config: how derived networks, and so the CNN, are trained.
      systems: of `majority`, `cnn`, `opensmile_svm`.

    Raises:
      UsageError: when openSMILE is asked for and not installed or the audio
        has gone, or a folder holds work of other settings.
      WorkError: when the loss stops being finite.
    """
    check_comparators(directory, systems)
    if "majority" in systems:
        _make_majority(manifest, fold, directory)
    if "opensmile_svm" in systems:
        _make_opensmile_svm(manifest, fold, directory)
    if "cnn" in systems:
        _train_cnn(
            records_dir, manifest, fold, directory, network_config, config
        )


def check_comparators(directory: FoldDirectory, systems: Sequence[str]) -> None:
    """Refuses comparators that cannot be made, before anything is.

    Raises:
      UsageError: when openSMILE is needed and not installed.
    """
    system = "opensmile_svm"
    if system in systems and not has_system(directory, system):
        opensmile_version()


def functionals_dir(directory: FoldDirectory) -> Path:
    """Where a run keeps openSMILE's features."""
    return directory.path.parents[1] / FUNCTIONALS_NAME


def _make_majority(
    manifest: RecordsManifest, fold: Fold, directory: FoldDirectory
) -> None:
    """The classes' shares among the training speakers, whoever speaks."""
    if _is_finished("majority", manifest, fold, directory):
        return
    classes = len(manifest.label_names)
    counts = np.bincount(_labels(manifest, fold.training), minlength=classes)
    shares = counts / counts.sum()
    labels = _labels(manifest, fold.validation)
    answers = np.full_like(labels, shares.argmax())
    ua = unweighted_accuracy(confusion_matrix(labels, answers, classes))
    save_comparator_info(
        directory.system("majority"),
        describe_comparator(
            "majority",
            manifest,
            {"validation_ua": ua},
            classes - 1,
            shares=shares.tolist(),
        ),
    )


def _make_opensmile_svm(
    manifest: RecordsManifest, fold: Fold, directory: FoldDirectory
) -> None:
    """Functionals, standardised, into a linear support vector machine."""
    system = "opensmile_svm"
    if _is_finished(system, manifest, fold, directory, costs=COSTS):
        return
    functionals = Functionals(functionals_dir(directory), opensmile_version())
    missing = functionals.missing(manifest.entries)
    if missing:
        show_progress(
            f"{_title(system, fold)}: openSMILE hears {len(missing)} "
            "utterances, once for all folds."
        )
        functionals.make(missing)
    training, validation = (
        (
            functionals.of([manifest.entries[i] for i in indices]),
            _labels(manifest, indices),
        )
        for indices in (fold.training, fold.validation)
    )
    machine, cost, ua = choose_linear_machine(
        training, validation, len(manifest.label_names)
    )
    folder = directory.system(system)
    machine.save(folder / MACHINE_NAME)
    save_comparator_info(
        folder,
        describe_comparator(
            system,
            manifest,
            {"validation_ua": ua},
            machine.weights.size + machine.bias.size,
            opensmile=functionals.version,
            cost=cost,
        ),
    )
    show_progress(
        f"{_title(system, fold)}: C {cost:g}, validation UA {100 * ua:.1f} %"
    )


def _train_cnn(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: NetworkConfig,
    config: DerivedTrainConfig,
) -> None:
    """The hand-designed network, as `retrained` is trained."""
    data = load_training_data(records_dir, manifest, fold)
    # Before anything is left behind.
    spectrogram_augmentation(config, data.training)
    classes = len(manifest.label_names)
    width = matching_width(network_config, classes)
    settings = {"width": width, **as_json(config)}
    if _is_finished("cnn", manifest, fold, directory, **settings):
        return
    folder = directory.system("cnn")
    shape = data.training.features.shape[1:3]
    network, best = fit_network(
        lambda: build_cnn(width, classes, shape),
        folder,
        _title("cnn", fold),
        data,
        config,
    )
    save_comparator_info(
        folder,
        describe_comparator(
            "cnn",
            manifest,
            best,
            count_parameters(network)["trainable"],
            width=width,
            input_shape=shape,
        ),
    )


def _is_finished(
    system: str,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    **settings: object,
) -> bool:
    """Claims the folder; whether the system was made before, and says so."""
    claim_folder(
        directory.system(system),
        {
            "program": "train",
            "records": manifest.digest,
            "test_speaker": fold.test_speaker,
            **settings,
        },
    )
    finished = (directory.system(system) / INFO_NAME).is_file()
    if finished:
        show_progress(f"{_title(system, fold)}: finished before, kept.")
    return finished


def _title(system: str, fold: Fold) -> str:
    return (
        f"{SYSTEMS[system].title}, fold {fold.number}, test speaker "
        f"{fold.test_speaker}"
    )


def _labels(manifest: RecordsManifest, indices: Sequence[int]) -> np.ndarray:
    return np.array([manifest.entries[i].label for i in indices], np.int64)
