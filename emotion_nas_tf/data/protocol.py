"""From what a program was asked to the records and folds it works on."""

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import Fold, make_folds
from tfrecords_builder.records import (
    RecordsManifest,
    load_manifest,
    verify_shards,
)


def open_records(
    protocol: ProtocolConfig,
) -> tuple[RecordsManifest, list[Fold]]:
    """Checks the records and makes the folds, before any training starts.

    Returns:
      The manifest, and a fold for every direction asked for.

    Raises:
      UsageError: when there are no records, a shard is damaged, or a fold
        does not exist or would leak.
    """
    manifest = load_manifest(protocol.records_dir)
    folds = [
        fold
        for number in protocol.folds
        for fold in make_folds(
            manifest,
            number,
            protocol.test_speaker,
            protocol.allow_missing_classes,
        )
    ]
    verify_shards(protocol.records_dir, manifest)
    return manifest, folds
