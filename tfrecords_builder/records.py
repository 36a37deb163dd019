"""Built records, as their manifest describes them. Pure Python.

    records/   manifest.json   intake.json   progress.jsonl
               records-00000-of-00006.tfrecord ...

Records know nothing of folds: `emotion_nas_tf.data.folds` splits them.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfrecords_builder.config import (
    SEQUENCE_VERSION,
    SequenceConfig,
    fingerprint,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features import FEATURES
from tfrecords_builder.files import sha256, write_json
from tfrecords_builder.utterance import natural_key

# Raised when the layout of shards or of the manifest changes. Records without
# sequence features have kept version 1.
SCHEMA_VERSION = 2
_READ_VERSIONS = (1, 2)
MANIFEST_NAME = "manifest.json"
BUILD_COMMAND = (
    "python -m tfrecords_builder.build --corpus=CORPUS --corpus_dir=FOLDER"
)


def schema_version(features: Mapping[str, object]) -> int:
    """The lowest version that has these features."""
    return SCHEMA_VERSION if "sequence" in features else 1


@dataclass(frozen=True)
class RecordEntry:
    """One utterance in the records.

    Attributes:
      id: the utterance's.
      speaker: the utterance's.
      session: the utterance's.
      label: position in `RecordsManifest.label_names`.
      content_sha256: of the 16 kHz samples: equal, identical audio.
      duration_seconds: before cutting or padding.
      shard: position in `RecordsManifest.shards`.
      position: place within the shard, from 0.
      path: the audio file when the records were built, absolute; it may have
        gone since.
      sequence_length: frames of the sequence features, after averaging and
        without padding; 0 when there are none.
    """

    id: str
    speaker: str
    session: str
    label: int
    content_sha256: str
    duration_seconds: float
    shard: int
    position: int
    path: str = ""
    sequence_length: int = 0


@dataclass(frozen=True)
class Shard:
    """One TFRecord file: name in the folder, digest of its bytes, size."""

    name: str
    sha256: str
    num_records: int
    num_bytes: int


@dataclass(frozen=True)
class RecordsManifest:
    """What a folder of records holds.

    Attributes:
      schema_version: see `schema_version`.
      corpus: name of the reader that found the utterances.
      label_names: class names in class order.
      features: feature name to its configuration's fields.
      fingerprint: of the spectrogram and the front end's version; that of
        the sequence features is `sequence.fingerprint()`.
      compression: `none` or `gzip`.
      entries: the utterances, in the corpus' order.
      shards: the files.
    """

    schema_version: int
    corpus: str
    label_names: tuple[str, ...]
    features: dict[str, dict]
    fingerprint: str
    compression: str
    entries: tuple[RecordEntry, ...]
    shards: tuple[Shard, ...]

    @property
    def sequence(self) -> SequenceConfig | None:
        """Which sequence features there are, if any."""
        settings = self.features.get("sequence")
        return None if settings is None else SequenceConfig(**settings)

    @property
    def digest(self) -> str:
        """Hex digest of all the records: two equal ones train alike."""
        shards = [shard.sha256 for shard in self.shards]
        content = json.dumps([self.fingerprint, self.label_names, shards])
        return hashlib.sha256(content.encode()).hexdigest()

    def counts(self) -> dict[str, dict[str, int]]:
        """Utterances by speaker (natural order) and label."""
        speakers = sorted({e.speaker for e in self.entries}, key=natural_key)
        counts = {s: dict.fromkeys(self.label_names, 0) for s in speakers}
        for entry in self.entries:
            counts[entry.speaker][self.label_names[entry.label]] += 1
        return counts

    def save(self, records_dir: Path):
        """Writes `manifest.json`, with the counts for people to read."""
        fields = dataclasses.asdict(self)
        shards, entries = fields.pop("shards"), fields.pop("entries")
        write_json(
            records_dir / MANIFEST_NAME,
            {
                **fields,
                "counts": self.counts(),
                "shards": shards,
                "entries": entries,
            },
        )


def load_manifest(records_dir: Path) -> RecordsManifest:
    """Reads the manifest of finished records.

    Raises:
      UsageError: when there are no records, when they are unfinished, or
        when they are of another schema or front end than this program's.
    """
    path = Path(records_dir) / MANIFEST_NAME
    if not path.is_file():
        raise UsageError(
            f"There are no records in {records_dir}: it has no {path.name}. "
            f"Build them with\n  {BUILD_COMMAND} --records_dir={records_dir}"
        )
    try:
        return _parse_manifest(json.loads(path.read_text("utf-8")))
    except UsageError as error:
        raise UsageError(f"{path}: {error} {_rebuild(records_dir)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is damaged ({type(error).__name__}: {error}). "
            f"{_rebuild(records_dir)}"
        ) from error


def _parse_manifest(fields: dict) -> RecordsManifest:
    version = fields["schema_version"]
    if version not in _READ_VERSIONS:
        raise UsageError(
            f"these records have schema version {version}; this program reads "
            f"versions {' and '.join(map(str, _READ_VERSIONS))}."
        )
    features = fields["features"]
    own = {"spectrogram": features.get("spectrogram")}
    if (
        set(features) - set(FEATURES)
        or fingerprint(own) != (fields["fingerprint"])
    ):
        raise UsageError(
            "these records are of another front end: this program's would "
            "compute other features from the same audio."
        )
    sequence = features.get("sequence")
    if sequence is not None and sequence["version"] != SEQUENCE_VERSION:
        raise UsageError(
            f"their sequence features have version {sequence['version']}; "
            f"this program makes version {SEQUENCE_VERSION}."
        )
    del fields["counts"]
    fields["label_names"] = tuple(fields["label_names"])
    fields["entries"] = tuple(RecordEntry(**e) for e in fields["entries"])
    fields["shards"] = tuple(Shard(**s) for s in fields["shards"])
    return RecordsManifest(**fields)


def check_fingerprint(manifest: RecordsManifest, expected: str, owner: str):
    """Refuses records whose features are not the ones `owner` was made for.

    Args:
      manifest: the records'.
      expected: `owner`'s fingerprint.
      owner: what is to be used with the records, e.g. `the run in runs/a`.

    Raises:
      UsageError: when the fingerprints differ.
    """
    if manifest.fingerprint != expected:
        raise UsageError(
            f"The records are of another front end than {owner}: fingerprint "
            f"{manifest.fingerprint[:12]} and {expected[:12]}. Build records "
            "with the settings it was made with, or start anew in another "
            "--run_dir."
        )


def check_digest(manifest: RecordsManifest, expected: str, owner: str):
    """Refuses other records than the ones `owner` was made with.

    Args:
      manifest: the records'.
      expected: digest of `owner`'s.
      owner: as `check_fingerprint`'s.

    Raises:
      UsageError: when the digests differ.
    """
    if manifest.digest != expected:
        raise UsageError(
            f"These are other records than those of {owner} (digest "
            f"{manifest.digest[:12]} here, {expected[:12]} there). Name "
            "the same --records_dir, or another --run_dir."
        )


def verify_shards(records_dir: Path, manifest: RecordsManifest):
    """Compares every shard with its size and SHA-256 in the manifest.

    Raises:
      UsageError: naming each missing, truncated or altered shard.
    """
    wrong = []
    for shard in manifest.shards:
        path = Path(records_dir) / shard.name
        if not path.is_file():
            wrong.append(f"{shard.name} is missing")
        elif path.stat().st_size < shard.num_bytes:
            wrong.append(
                f"{shard.name} is truncated ({path.stat().st_size} of "
                f"{shard.num_bytes} bytes)"
            )
        elif sha256(path) != shard.sha256:
            wrong.append(f"{shard.name} is altered (its SHA-256 differs)")
    if wrong:
        raise UsageError(
            f"Records in {records_dir} are damaged: {'; '.join(wrong)}. Run "
            "the command that built them again: it makes those shards anew."
        )


def _rebuild(records_dir: Path) -> str:
    return (
        f"Build them anew with\n  {BUILD_COMMAND} "
        f"--records_dir={records_dir} --overwrite"
    )
