"""The end of a build: what all shards together are."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from tfrecords_builder.config import BuildConfig, SequenceConfig
from tfrecords_builder.corpora.reading import counts_table
from tfrecords_builder.errors import WorkError
from tfrecords_builder.features.pooling import num_pooled
from tfrecords_builder.files import write_json
from tfrecords_builder.intake import IntakeReport
from tfrecords_builder.records import (
    RecordEntry,
    RecordsManifest,
    schema_version,
)
from tfrecords_builder.sessions import Sessions, what_is_missing
from tfrecords_builder.shards import BrokenFile, ShardResult, ShardTask
from tfrecords_builder.utterance import CorpusListing

INTAKE_NAME = "intake.json"


def finish(
    config: BuildConfig,
    listing: CorpusListing,
    sequence: SequenceConfig | None,
    tasks: list[ShardTask],
    results: dict[int, ShardResult],
    say: Callable[[str], None],
) -> RecordsManifest:
    """Writes `manifest.json` and `intake.json`.

    Args:
      config: of the build.
      listing: the corpus.
      sequence: what the sequence features are, if there are any.
      tasks: every shard.
      results: what came of them, by index.
      say: takes the intake report, the counts, and what they keep from being
        tested.

    Raises:
      WorkError: when no file could be used.
    """
    if sequence is not None:
        sequence = _with_length(sequence, results, say)
    intake = IntakeReport(config.spectrogram.duration_seconds)
    entries, broken = [], []
    for task in tasks:
        position = 0
        outcomes = results[task.index].outcomes
        for utterance, facts in zip(task.utterances, outcomes, strict=True):
            if isinstance(facts, BrokenFile):
                intake.add_broken(utterance, facts.reason, facts.message)
                broken.append(facts.message)
                continue
            intake.add(utterance, facts)
            entries.append(
                RecordEntry(
                    id=utterance.id,
                    speaker=utterance.speaker,
                    session=utterance.session,
                    label=listing.label_names.index(utterance.label),
                    content_sha256=facts.content_sha256,
                    duration_seconds=facts.duration_seconds,
                    shard=task.index,
                    position=position,
                    path=str(Path(utterance.path).absolute()),
                    sequence_length=_length(
                        sequence, results[task.index], position
                    ),
                )
            )
            position += 1
    write_json(config.records_dir / INTAKE_NAME, intake.to_json())
    say(intake.to_table())
    _say_counts(entries, listing, say)
    if not entries:
        raise WorkError(
            f"None of the {len(broken)} audio files could be used, the first "
            f"because: {broken[0]} All are in "
            f"{config.records_dir / INTAKE_NAME}."
        )
    features = {"spectrogram": dataclasses.asdict(config.spectrogram)}
    if sequence is not None:
        features["sequence"] = dataclasses.asdict(sequence)
    manifest = RecordsManifest(
        schema_version=schema_version(features),
        corpus=listing.corpus,
        label_names=listing.label_names,
        features=features,
        fingerprint=config.spectrogram.fingerprint(),
        compression=config.compression,
        entries=tuple(entries),
        shards=tuple(results[task.index].shard for task in tasks),
    )
    manifest.save(config.records_dir)
    for line in what_is_missing(Sessions(entries, listing.label_names)):
        say(line)
    return manifest


def _with_length(
    sequence: SequenceConfig,
    results: dict[int, ShardResult],
    say: Callable[[str], None],
) -> SequenceConfig:
    """Settles how long records are: as the longest, or as `max_frames`."""
    frames = [n for result in results.values() for n in result.num_frames]
    longest = sequence.max_frames or max(frames, default=1)
    cut = sum(number > longest for number in frames)
    num_frames = num_pooled(longest, sequence.pool_frames)
    say(
        f"Sequences: {sequence.title}, padded to {longest} frames, averaged "
        f"by {sequence.pool_frames} to {num_frames} x {sequence.size}"
        + (f"; {cut} longer ones are cut" if cut else "")
    )
    return dataclasses.replace(sequence, num_frames=num_frames)


def _length(
    sequence: SequenceConfig | None, result: ShardResult, position: int
) -> int:
    if sequence is None:
        return 0
    length = -(-result.num_frames[position] // sequence.pool_frames)
    return min(length, sequence.num_frames)


def _say_counts(
    entries: list[RecordEntry],
    listing: CorpusListing,
    say: Callable[[str], None],
):
    """Classes by speaker, unless the corpus' report says the same."""
    if not entries:
        return
    kept = {entry.id for entry in entries}
    lines = counts_table(
        [u for u in listing.utterances if u.id in kept], listing.label_names
    )
    if not set(lines) <= set(listing.report):
        say("\n".join(("In the records:", *lines)))
