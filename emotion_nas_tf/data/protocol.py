"""From what a program was asked to the records and folds it works on."""

import sys
from collections.abc import Sequence

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import Fold, missing_classes, plan_folds
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import (
    RecordsManifest,
    load_manifest,
    verify_shards,
)


def open_records(
    protocol: ProtocolConfig,
) -> tuple[RecordsManifest, list[Fold]]:
    """Checks the records and makes the folds, before any training starts.

    Says to standard error which speakers lack a class, where that is allowed,
    and, where all folds are asked for, which cannot be tested.

    Returns:
      The manifest, and a fold for every direction asked for.

    Raises:
      UsageError: when there are no records, a shard is damaged, or a fold
        does not exist, cannot be tested or would leak.
    """
    manifest = load_manifest(protocol.records_dir)
    plan = plan_folds(
        manifest,
        protocol.folds,
        protocol.test_speaker,
        protocol.allow_missing_classes,
    )
    for reason in plan.left_out:
        print(f"Left out: {reason}", file=sys.stderr)
    folds = list(plan.folds)
    for fold in folds:
        for side, missing in missing_classes(manifest, fold).items():
            if missing:
                speaker = getattr(fold, f"{side}_speaker")
                present = len(manifest.label_names) - len(missing)
                print(
                    f"Fold {fold.number}: the {side} speaker {speaker} has no "
                    f"utterance of {', '.join(missing)}; UA is the mean recall "
                    f"of the other {present} classes.",
                    file=sys.stderr,
                )
    verify_shards(protocol.records_dir, manifest)
    return manifest, folds


def choose_streams(
    manifest: RecordsManifest, wanted: Sequence[str] = ()
) -> tuple[str, ...]:
    """The streams to work on.

    Args:
      manifest: the records'.
      wanted: of `systems.STREAMS`; empty for all that the records have
        features for.

    Raises:
      UsageError: when the records have no features for one that is wanted.
    """
    if RECURRENT in wanted and manifest.sequence is None:
        raise UsageError(
            "These records have no features over time, which the recurrent "
            "stream needs. Build records that do, with\n  python -m "
            "tfrecords_builder.build --sequence_features=logmel ...\nor with "
            "--sequence_features=wav2vec and a checkpoint, or leave --streams "
            "out."
        )
    present = [SPECTROGRAM]
    if manifest.sequence is not None:
        present.append(RECURRENT)
    return tuple(wanted) or tuple(present)
