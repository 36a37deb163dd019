"""Builds records: a corpus' utterances to shards, in parallel, resumable.

corpus reader -> listing -> shards (worker processes) -> manifest.json
"""

import contextlib
import dataclasses
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import joblib

from tfrecords_builder.config import BuildConfig, SequenceConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.features.sequence import (
    complete_request,
    describe_features,
)
from tfrecords_builder.finishing import INTAKE_NAME, finish
from tfrecords_builder.journal import JOURNAL_NAME, Journal, make_plan
from tfrecords_builder.program import load_tensorflow
from tfrecords_builder.records import MANIFEST_NAME, RecordsManifest
from tfrecords_builder.shards import BrokenFile, ShardResult, ShardTask
from tfrecords_builder.utterance import CorpusListing

_SHARDS = "records-*-of-*.tfrecord"


def build_records(
    config: BuildConfig,
    say: Callable[[str], None] = print,
    show_progress: Callable[[str], None] = lambda line: print(
        line, file=sys.stderr, flush=True
    ),
) -> RecordsManifest:
    """Builds `config.records_dir`, or goes on where a build was stopped.

    Args:
      config: corpus, front end and folder.
      say: takes lines that are results: counts, the intake report.
      show_progress: takes lines that tell how far it is.

    Returns:
      The manifest, as written.

    Raises:
      UsageError: for an unknown corpus or label, an empty corpus, a folder
        that cannot be written, or one that holds another build.
      WorkError: when no file could be read, or with `strict` a broken one.
      OSError: when the disk is full; finished shards are kept.
    """
    if config.corpus not in CORPORA:
        raise UsageError(
            f"There is no corpus {config.corpus!r}. Known: "
            f"{', '.join(CORPORA)}."
        )
    # Before the corpus is read or made, which takes longer.
    prepare_folder(config.records_dir)
    listing = CORPORA[config.corpus](config)
    for line in listing.report:
        say(line)
    for reason, count in listing.excluded.items():
        say(f"Left out: {count} x {reason}")
    if not listing.utterances:
        raise UsageError(
            f"Corpus {config.corpus} in {config.corpus_dir} holds no "
            "utterance with a wanted label."
        )
    sequence = None
    if config.sequence is not None:
        request = complete_request(config.sequence, show_progress)
        config = dataclasses.replace(config, sequence=request)
        sequence = describe_features(request)
        say(f"Sequence features: {sequence.title}")
    if config.overwrite:
        _remove_records(config.records_dir)
    plan = make_plan(config, listing, sequence)
    journal = Journal(config.records_dir, plan)
    results = journal.open(show_progress)
    if config.strict:
        # A file may be readable by now without looking changed.
        results = {i: r for i, r in results.items() if not _broken(r)}
    tasks = shard_tasks(config, listing, sequence)
    _remove_others(config.records_dir, tasks)
    _run(
        [task for task in tasks if task.index not in results],
        config,
        journal,
        results,
        show_progress,
    )
    return finish(config, listing, sequence, tasks, results, say)


def prepare_folder(records_dir: Path):
    """Makes the folder and tries to write in it.

    Raises:
      UsageError: when that fails for another reason than a full disk.
    """
    probe = records_dir / f".write-{os.getpid()}"
    try:
        records_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UsageError(
            f"Records cannot be written to {records_dir}: {error.strerror}. "
            "Give --records_dir a folder that you may write to."
        ) from error


def shard_tasks(
    config: BuildConfig,
    listing: CorpusListing,
    sequence: SequenceConfig | None = None,
) -> list[ShardTask]:
    """Consecutive utterances, `utterances_per_shard` a shard."""
    size = config.utterances_per_shard
    chunks = [
        listing.utterances[i : i + size]
        for i in range(0, len(listing.utterances), size)
    ]
    return [
        ShardTask(
            index,
            config.records_dir
            / f"records-{index:05d}-of-{len(chunks):05d}.tfrecord",
            chunk,
            listing.label_names,
            config.spectrogram,
            config.compression,
            config.sequence,
            sequence,
        )
        for index, chunk in enumerate(chunks)
    ]


def _run(
    tasks: list[ShardTask],
    config: BuildConfig,
    journal: Journal,
    results: dict[int, ShardResult],
    show_progress: Callable[[str], None],
):
    """Builds `tasks`, adding to `journal` and `results` as they finish.

    Raises:
      WorkError: with `config.strict`, at the first shard with a broken file.
    """
    wanted = sum(len(task.utterances) for task in tasks)
    if results:
        kept = sum(len(result.outcomes) for result in results.values())
        show_progress(f"{kept} utterances are there already, {wanted} to do.")
    started, done = time.monotonic(), 0
    num_workers = min(
        config.num_workers or _default_workers(wanted, config), len(tasks)
    )
    for result in _parallel(tasks, num_workers):
        journal.append(result)
        results[result.index] = result
        _check_strict(result, config)
        done += len(result.outcomes)
        rate = done / (time.monotonic() - started)
        show_progress(
            f"{done} of {wanted} utterances, {rate:.0f}/s, "
            f"{(wanted - done) / rate:.0f} s left"
        )


def _default_workers(num_utterances: int, config: BuildConfig) -> int:
    """A process a core, as far as they are worth their start."""
    # A process takes some 5 s to start, in which it could do 500 utterances,
    # or ten through an encoder.
    encodes = config.sequence and config.sequence.features != "logmel"
    return min(
        joblib.cpu_count(), 1 + num_utterances // (10 if encodes else 500)
    )


def _parallel(
    tasks: list[ShardTask], num_workers: int
) -> Iterator[ShardResult]:
    if num_workers <= 1:
        yield from map(_build_shard, tasks)
        return
    with joblib.parallel_config(
        "loky", n_jobs=num_workers, initializer=_enter_worker_process
    ):
        results = joblib.Parallel(return_as="generator_unordered")(
            joblib.delayed(_build_shard)(task) for task in tasks
        )
        with contextlib.closing(results):
            yield from results


# TensorFlow is imported where shards are made: not at all when all are there,
# and not by the process that only waits for its workers.


def _build_shard(task: ShardTask) -> ShardResult:
    load_tensorflow()
    from tfrecords_builder.shard_work import build_shard

    return build_shard(task)


def _enter_worker_process():
    def limit_threads():
        from tfrecords_builder.shard_work import enter_worker_process

        enter_worker_process()

    load_tensorflow(limit_threads)


def _broken(result: ShardResult) -> list[str]:
    return [o.message for o in result.outcomes if isinstance(o, BrokenFile)]


def _check_strict(result: ShardResult, config: BuildConfig):
    if config.strict and (broken := _broken(result)):
        raise WorkError(
            "--strict refuses broken audio files:\n  "
            + "\n  ".join(broken)
            + "\nMend or remove them and run the same command again, which "
            "goes on; others may follow. Without --strict, broken files are "
            f"skipped and {config.records_dir / INTAKE_NAME} names them all."
        )


def _remove_others(records_dir: Path, tasks: list[ShardTask]):
    """Removes shards that an unfinished build of more or fewer left."""
    for path in {*records_dir.glob(_SHARDS)} - {task.path for task in tasks}:
        path.unlink()


def _remove_records(records_dir: Path):
    """Removes what a build writes and nothing else."""
    # The manifest first: without it, the rest is an unfinished build.
    for name in (MANIFEST_NAME, JOURNAL_NAME, INTAKE_NAME):
        (records_dir / name).unlink(missing_ok=True)
    for pattern in (_SHARDS, f".{_SHARDS}.part"):
        for path in records_dir.glob(pattern):
            path.unlink()
