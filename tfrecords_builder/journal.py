"""The journal of a build: which shards are finished, and what was in them.

    progress.jsonl    line 1: the plan     then: one line a finished shard

A build that was killed goes on from it, also when audio or labels have been
mended meanwhile; a build of something else in the same folder is recognised by
the plan.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from tfrecords_builder.config import BuildConfig, SequenceConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing, sha256
from tfrecords_builder.records import MANIFEST_NAME, schema_version
from tfrecords_builder.shards import ShardResult
from tfrecords_builder.utterance import CorpusListing

JOURNAL_NAME = "progress.jsonl"


def make_plan(
    config: BuildConfig,
    listing: CorpusListing,
    sequence: SequenceConfig | None = None,
) -> dict:
    """What decides the bits of the records, as JSON values.

    `sequence` describes the sequence features, if there are any. Files are
    known by size and time of change, so that going on does not need to read
    them all.
    """
    utterances = [
        (u.id, u.label, u.speaker, u.session, *_state(u.path))
        for u in listing.utterances
    ]
    size = config.utterances_per_shard
    features = {} if sequence is None else {"sequence": sequence}
    return {
        "schema_version": schema_version(features),
        "corpus": listing.corpus,
        "label_names": list(listing.label_names),
        "num_utterances": len(utterances),
        "shards_sha256": [
            _digest(utterances[i : i + size])
            for i in range(0, len(utterances), size)
        ],
        "spectrogram": dataclasses.asdict(config.spectrogram),
        "sequence": sequence and dataclasses.asdict(sequence),
        "fingerprint": config.spectrogram.fingerprint(),
        "compression": config.compression,
        "utterances_per_shard": config.utterances_per_shard,
    }


def _digest(utterances: list[tuple]) -> str:
    return hashlib.sha256(json.dumps(utterances).encode()).hexdigest()


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return (-1, -1)
    return (state.st_size, state.st_mtime_ns)


class Journal:
    """The journal in `records_dir`.

    Args:
      records_dir: the folder of records; it exists.
      plan: this build's, see `make_plan`.
    """

    def __init__(self, records_dir: Path, plan: dict):
        self._records_dir = records_dir
        self._path = records_dir / JOURNAL_NAME
        self._plan = plan

    def open(self, say: Callable[[str], None]) -> dict[int, ShardResult]:
        """Starts or goes on; returns the finished shards, by index.

        A shard that is no longer as it was written does not count, nor one
        whose utterances have changed since.

        Args:
          say: takes a line when utterances have changed since.

        Raises:
          UsageError: when the folder holds another build: of other settings,
            or a finished one of other utterances.
        """
        plan, results = self._read()
        is_finished = (self._records_dir / MANIFEST_NAME).exists()
        if plan is not None and not self._goes_on(plan, is_finished):
            raise UsageError(_other_build(self._records_dir, plan, self._plan))
        if plan is None and is_finished:
            raise UsageError(
                f"{self._records_dir} holds records of which nobody knows how "
                f"they were built ({JOURNAL_NAME} is gone). Give --overwrite "
                "to replace them, or another --records_dir to keep them."
            )
        if plan is not None and plan != self._plan:
            say(
                "The corpus has changed since this unfinished build began: "
                "what it made of other utterances is made anew."
            )
        unchanged = self._unchanged(plan) if plan else set()
        finished = {
            result.index: result
            for result in results
            if result.index in unchanged and self._is_whole(result)
        }
        # A line that a killed build left unfinished goes.
        with replacing(self._path) as temporary:
            lines = [self._plan, *(r.to_json() for r in finished.values())]
            temporary.write_text("".join(map(_line, lines)), encoding="utf-8")
        return finished

    def append(self, result: ShardResult):
        """Notes a finished shard."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(result.to_json()))
            file.flush()
            os.fsync(file.fileno())

    def _goes_on(self, plan: dict, is_finished: bool) -> bool:
        """Whether this build may go on with the one of `plan`."""
        return plan == self._plan or (
            not is_finished and _settings(plan) == _settings(self._plan)
        )

    def _unchanged(self, plan: dict) -> set[int]:
        """Shards of the same utterances and, by their number, name."""
        ours, theirs = self._plan["shards_sha256"], plan["shards_sha256"]
        if len(ours) != len(theirs):
            return set()
        return {i for i, digest in enumerate(ours) if digest == theirs[i]}

    def _read(self) -> tuple[dict | None, list[ShardResult]]:
        if not self._path.is_file():
            return None, []
        *lines, _ = self._path.read_text("utf-8").split("\n")
        try:
            rows = [json.loads(line) for line in lines]
            results = [ShardResult.from_json(row) for row in rows[1:]]
            # Plans from before there were any.
            for plan in rows[:1]:
                plan.setdefault("sequence", None)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{self._path} is damaged ({error}). Give --overwrite to "
                "build anew."
            ) from error
        return (rows[0] if rows else None), results

    def _is_whole(self, result: ShardResult) -> bool:
        path = self._records_dir / result.shard.name
        return path.is_file() and sha256(path) == result.shard.sha256


def _settings(plan: dict) -> dict:
    """The plan without the utterances."""
    return {
        key: value
        for key, value in plan.items()
        if key not in ("num_utterances", "shards_sha256")
    }


def _line(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _other_build(records_dir: Path, old: dict, new: dict) -> str:
    different = [
        f"{key}: {_short(old.get(key))} there, {_short(value)} now"
        for key, value in new.items()
        if old.get(key) != value and key not in ("shards_sha256", "fingerprint")
    ] or ["audio files or front end have changed since"]
    return (
        f"{records_dir} holds another build ({'; '.join(different)}). Give "
        "--overwrite to replace it, or another --records_dir to keep both."
    )


def _short(value) -> str:
    if isinstance(value, dict) and "geometry" in value:
        return f"{value['geometry']}/{value.get('scale')}"
    if isinstance(value, dict):
        return (
            f"{value.get('features')} {value.get('encoder')} "
            f"{value.get('output')}, {value.get('pool_frames')} frames "
            f"averaged, at most {value.get('max_frames') or 'any number'}"
        )
    return ", ".join(value) if isinstance(value, list) else str(value)
