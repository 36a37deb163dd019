"""What can be known of a run before its first step: no hours are lost."""

from collections.abc import Sequence
from pathlib import Path

from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.evaluation.procedure import Procedure
from emotion_nas_tf.recurrent.candidates import check_search
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM
from emotion_nas_tf.training.augmenting import (
    check_sequence_augmentation,
    check_spectrogram_augmentation,
)
from emotion_nas_tf.training.comparators import check_comparators
from emotion_nas_tf.training.cross_fitting import (
    check_trained_alone,
    make_groups,
)
from emotion_nas_tf.training.search_checks import (
    check_search_batches,
    check_search_settings,
)
from tfrecords_builder.config import SequenceConfig, SpectrogramConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import sha256


def check_run(procedure: Procedure, folds: Sequence[Fold]) -> None:
    """Refuses what some step of a run would refuse.

    Writes nothing.

    Args:
      procedure: the run.
      folds: its tests.

    Raises:
      UsageError: when cells cannot be searched as asked, utterances cannot be
        changed as asked, the streams cannot be cross-fitted, a package is
        missing, or the checkpoint is not that of the records.
    """
    config, manifest = procedure.config, procedure.manifest
    if SPECTROGRAM in config.streams:
        check_search_settings(config.network, config.search)
        heard = SpectrogramConfig(**manifest.features["spectrogram"])
        check_spectrogram_augmentation(config.train, heard.output_shape)
    if RECURRENT in config.streams:
        check_search(config.candidates)
        check_sequence_augmentation(config.recurrent_train, manifest.sequence)
    is_cross_fitted = config.fusion.data == "cross_fitted"
    if procedure.is_fused and is_cross_fitted:
        check_trained_alone(config.fusion.fused)
    for fold in folds:
        if SPECTROGRAM in config.streams:
            check_search_batches(manifest, fold, config.search)
        if procedure.is_fused and is_cross_fitted:
            make_groups(manifest, fold, config.fusion.groups)
        check_comparators(procedure.directory(fold), config.comparators)
    sequence = manifest.sequence
    if procedure.wav2vec_checkpoint is not None:
        check_checkpoint(
            procedure.wav2vec_checkpoint,
            sequence if RECURRENT in config.streams else None,
        )


def check_checkpoint(path: Path, sequence: SequenceConfig | None) -> None:
    """Refuses a checkpoint that does not make the records' features.

    Args:
      path: of wav2vec.
      sequence: the records' features over time; None where nobody hears them.

    Raises:
      UsageError: when they are not wav2vec's, or of another checkpoint.
    """
    if sequence is None or sequence.features != "wav2vec":
        heard = sequence.title if sequence else "the spectrogram"
        raise UsageError(
            f"--wav2vec_checkpoint does nothing here: the networks hear "
            f"{heard}. Leave it out."
        )
    if not path.is_file():
        raise UsageError(
            f"There is no wav2vec checkpoint {path}. Name the one that the "
            f"records were built with, {sequence.encoder}, or leave "
            "--wav2vec_checkpoint out: the model is then without it."
        )
    found = sha256(path)
    if found != sequence.encoder_sha256:
        raise UsageError(
            f"{path} is not the checkpoint that the records were built with, "
            f"{sequence.encoder} (SHA-256 {found[:12]} here, "
            f"{sequence.encoder_sha256[:12]} there). Name that one with "
            "--wav2vec_checkpoint."
        )
