"""Comparators on disk: what `network.json` says of them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.networks.info_file import read_info, write_info
from emotion_nas_tf.systems import SYSTEMS
from tfrecords_builder.records import RecordsManifest

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ComparatorInfo:
    """What a comparator is.

    Attributes:
      system: its name.
      label_names: the classes it tells apart.
      fingerprint: of the records' front end.
      records: digest of the records it was trained on.
      corpus: their corpus.
      validation_ua: on the validation speaker; of a network, in its best
        epoch.
      epoch: of a network, that epoch; otherwise 0.
      parameters: numbers that training set.
      settings: what it is made of; keys depend on the system.
    """

    system: str
    label_names: tuple[str, ...]
    fingerprint: str
    records: str
    corpus: str
    validation_ua: float
    epoch: int
    parameters: int
    settings: Mapping[str, object]


def describe_comparator(
    system: str,
    manifest: RecordsManifest,
    kept: Mapping[str, float],
    parameters: int,
    **settings: object,
) -> ComparatorInfo:
    """What `network.json` says of a comparator.

    Args:
      system: its name.
      manifest: of the records it was trained on.
      kept: `validation_ua`, and of a network `epoch`.
      parameters: numbers that training set.
      **settings: what it is made of.
    """
    return ComparatorInfo(
        system=system,
        label_names=tuple(manifest.label_names),
        fingerprint=manifest.fingerprint,
        records=manifest.digest,
        corpus=manifest.corpus,
        validation_ua=kept["validation_ua"],
        epoch=int(kept.get("epoch", 0)),
        parameters=parameters,
        settings=settings,
    )


def save_comparator_info(folder: Path, info: ComparatorInfo) -> None:
    """Writes `network.json`: from now on the comparator exists."""
    write_info(folder, dataclasses.asdict(info), SCHEMA_VERSION)


def load_comparator_info(folder: Path, system: str) -> ComparatorInfo:
    """Reads `network.json`.

    Args:
      folder: the comparator's, or a member's of an ensemble.
      system: its name.

    Raises:
      UsageError: when the comparator is not there or was written by another
        release.
    """
    fields = read_info(
        folder,
        title=f"comparator {system}",
        maker=f"{SYSTEMS[system].program} --systems={system}",
        schema_version=SCHEMA_VERSION,
        kind=ComparatorInfo,
    )
    fields["label_names"] = tuple(fields["label_names"])
    return ComparatorInfo(**fields)
