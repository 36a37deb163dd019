"""The fusions of one test: perceptron, mean, product, and each stream alone."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import FusionConfig, as_json
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.networks import fusion_system
from emotion_nas_tf.networks.fusion import stack_streams
from emotion_nas_tf.networks.fusion_system import (
    MEAN,
    PERCEPTRON,
    PRODUCT,
    FusionInfo,
)
from emotion_nas_tf.networks.system import count_parameters, has_system
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.systems import FUSION, STREAMS, SYSTEMS, systems_of
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.cross_fitting import check_no_ensembles, cross_fit
from emotion_nas_tf.training.fusing import (
    Answers,
    Fitted,
    fit_perceptron,
    measure_ua,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest

# (directory, system, positions in the manifest) -> (n, K) probabilities.
Answer = Callable[[FoldDirectory, str, Sequence[int]], np.ndarray]


def fuse_fold(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    config: FusionConfig,
    answer: Answer,
) -> dict[str, FusionInfo]:
    """Makes every fusion of a test; one made of the same is kept.

    A fusion takes seconds, so other settings or newly trained streams simply
    replace it. The trainings of `cross_fitted` are kept and go on after a
    kill.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test; its test speaker's utterances are not looked at.
      directory: its folder.
      config: what is fused and how.
      answer: gives a trained system's probabilities on some utterances.

    Returns:
      What each fusion is.

    Raises:
      UsageError: when a system to be fused is not there, or `cross_fitted`
        cannot be.
      WorkError: when the perceptron's loss stops being finite.
    """
    _check_there(directory, config.fused)
    if config.data == "cross_fitted":
        check_no_ensembles(directory, config.fused)
    wanted = fusions_of(config.fused)
    for name in systems_of(FUSION):
        if name not in wanted:
            # Of what was fused before.
            directory.info(name).unlink(missing_ok=True)
    trained = {s: fusion_system.digest_of(directory, s) for s in config.fused}
    made_of = {
        name: _made_of(method, fused, trained, manifest, config)
        for name, (method, fused) in wanted.items()
    }
    if all(_is_made(directory, name, made_of[name]) for name in wanted):
        show_progress(
            f"Fusion, fold {fold.number}, test speaker {fold.test_speaker}: "
            "finished before, kept."
        )
        return {
            name: fusion_system.load_fusion_info(directory, name)
            for name in wanted
        }
    labels = np.array([entry.label for entry in manifest.entries])
    validation = {s: answer(directory, s, fold.validation) for s in trained}
    fitting, places = fitting_answers(
        records_dir, manifest, fold, directory, config, answer, validation
    )
    found = {}
    for name, (method, fused) in wanted.items():
        of_validation = _answers(
            validation, fused, labels[list(fold.validation)]
        )
        if method == PERCEPTRON:
            fitted = fit_perceptron(
                _answers(fitting, fused, labels[places]), of_validation, config
            )
            own = count_parameters(fitted.network)["trainable"]
        else:
            joined = fusion_system.join_plainly(
                method, of_validation.probabilities
            )
            ua = measure_ua(joined, of_validation.labels)
            fitted, own = Fitted(None, ua, 0), 0
        found[name] = FusionInfo(
            system=name,
            **made_of[name],
            label_names=tuple(manifest.label_names),
            fingerprint=manifest.fingerprint,
            corpus=manifest.corpus,
            validation_ua=fitted.validation_ua,
            epoch=fitted.epoch,
            parameters=own
            + sum(
                read_json(directory.info(system))["parameters"]
                for system in dict.fromkeys(fused)
            ),
            own_parameters=own,
        )
        fusion_system.save_fusion(directory, found[name], fitted.network)
    return found


def fusions_of(fused: Sequence[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Method and inputs of each fusion, by name.

    A stream alone stands in every place of the same perceptron: it has as
    many weights as the fusion.

    Args:
      fused: systems of the streams.
    """
    found = {}
    if len(fused) > 1:
        found = {
            "fusion": (PERCEPTRON, tuple(fused)),
            "fusion_mean": (MEAN, tuple(fused)),
            "fusion_product": (PRODUCT, tuple(fused)),
        }
    for stream in STREAMS:
        of_stream = [s for s in fused if SYSTEMS[s].stream == stream]
        if of_stream:
            alone = (of_stream[0],) * max(2, len(fused))
            found[f"perceptron_{stream}"] = (PERCEPTRON, alone)
    return found


def fitting_answers(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    config: FusionConfig,
    answer: Answer,
    validation: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], list[int]]:
    """What the perceptron is fitted on.

    Args:
      records_dir: as `fuse_fold`'s, and so the following.
      manifest: likewise.
      fold: likewise.
      directory: likewise.
      config: likewise.
      answer: likewise.
      validation: the validation speaker's answers by system.

    Returns:
      Answers by system, and whose they are: positions in the manifest.
    """
    if config.data == "validation":
        return validation, list(fold.validation)
    if config.data == "training":
        places = list(fold.training)
        return {s: answer(directory, s, places) for s in config.fused}, places
    parts = cross_fit(
        records_dir, manifest, fold, directory, config.fused, config.groups
    )
    places = [index for _, group in parts for index in group.left_out]
    return {
        system: np.concatenate(
            [
                answer(without, system, group.left_out)
                for without, group in parts
            ]
        )
        for system in config.fused
    }, places


def _answers(
    by_system: dict[str, np.ndarray], fused: Sequence[str], labels: np.ndarray
) -> Answers:
    return Answers(stack_streams([by_system[s] for s in fused]), labels)


def _made_of(
    method: str,
    fused: tuple[str, ...],
    trained: dict[str, str],
    manifest: RecordsManifest,
    config: FusionConfig,
) -> dict:
    """All that decides what a fusion is."""
    settings = as_json(config) if method == PERCEPTRON else {}
    return {
        "method": method,
        "fused": fused,
        "trained": {system: trained[system] for system in dict.fromkeys(fused)},
        "records": manifest.digest,
        # Which systems are fused is said already, for each its own.
        "settings": {k: v for k, v in settings.items() if k != "fused"},
    }


def _is_made(directory: FoldDirectory, name: str, made_of: dict) -> bool:
    path = directory.info(name)
    if not path.is_file():
        return False
    noted = read_json(path)
    # Through JSON, so that tuples compare equal to lists.
    expected = json.loads(json.dumps(made_of))
    return (
        noted.get("schema_version") == fusion_system.SCHEMA_VERSION
        and {key: noted.get(key) for key in expected} == expected
    )


def _check_there(directory: FoldDirectory, fused: Sequence[str]) -> None:
    missing = [name for name in fused if not has_system(directory, name)]
    if missing:
        makers = dict.fromkeys(SYSTEMS[name].program for name in missing)
        raise UsageError(
            f"{directory.path} does not hold {', '.join(missing)}, to be "
            f"fused. `python -m {'` and `python -m '.join(makers)}` with the "
            "same --run_dir and --fold makes it; --fused names other systems."
        )
