"""Program: the whole procedure for the folds asked for.

    python -m emotion_nas_tf.run --fold=2

Search of both streams, training of what was found and of what it is compared
with, fusion, evaluation on the unseen speaker, export, report. What is
finished is not done again: after a kill, the same command goes on.
"""

import dataclasses
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from textwrap import indent

import joblib

from emotion_nas_tf.config import RunConfig
from emotion_nas_tf.data.protocol import choose_streams, open_records
from emotion_nas_tf.evaluation.cross_validation import (
    run_tests,
    workers_that_fit,
)
from emotion_nas_tf.networks.memory import (
    LIBRARY_BYTES,
    available_memory,
    search_memory,
)
from emotion_nas_tf.recurrent.candidates import (
    candidates_digest,
    check_search,
)
from emotion_nas_tf.recurrent.recipe_files import load_recipe
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import load_genotype
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM
from emotion_nas_tf.visualization.recipe_boxes import recipe_lines
from emotion_nas_tf.worker_processes import load_tensorflow_quietly
from flags import (
    checkpoint_flags,
    protocol_flags,
    run_flags,
    streams_flags,
)
from tfrecords_builder import program
from tfrecords_builder.config import SpectrogramConfig


def main(argv: Sequence[str]) -> None:
    """Checks what was asked, does it, and says where everything is."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    asked = streams_flags.streams()
    # Flags that are wrong are refused before records are read.
    run_flags.run_config(asked)
    manifest, folds = open_records(protocol)
    config = run_flags.run_config(choose_streams(manifest, asked))
    run_flags.note_idle(config)
    num_tests = _tests_at_a_time(manifest, config, len(folds))
    config = _share_cores(config, num_tests)
    run_directory = RunDirectory(protocol.run_dir)

    program.load_tensorflow(deterministic=config.search.deterministic)
    from emotion_nas_tf.evaluation import results
    from emotion_nas_tf.evaluation.procedure import Procedure
    from emotion_nas_tf.evaluation.run_checks import check_run
    from emotion_nas_tf.reporting.html import write_report
    from emotion_nas_tf.training.search_process import search_threads
    from emotion_nas_tf.training.state import claim_folder

    cores = max(1, joblib.cpu_count() // num_tests)
    # As many as TensorFlow sees, but in processes side by side their share.
    here = (os.cpu_count() or 1) if num_tests == 1 else cores
    procedure = Procedure(
        protocol.records_dir,
        protocol.run_dir,
        manifest,
        config,
        checkpoint_flags.checkpoint(),
        search_threads(config.search, cores, here),
    )
    check_run(procedure, folds)
    claim_folder(
        protocol.run_dir,
        _settings(manifest.digest, config),
        command=shlex.join(
            ["python", "-m", "emotion_nas_tf.run", *sys.argv[1:]]
        ),
    )
    run_tests(
        [procedure.steps(fold) for fold in folds],
        protocol.run_dir,
        num_tests,
        load_tensorflow_quietly,
    )
    measured = results.write_results(run_directory)
    report = write_report(run_directory, protocol.records_dir)
    _print_end(
        run_directory,
        folds,
        measured,
        report,
        procedure.exported,
        procedure.is_exported,
    )


def _settings(records: str, config: RunConfig) -> dict:
    """What the run's folder notes; folds may be added."""
    settings = run_flags.run_settings(records, config)
    if RECURRENT in config.streams and config.candidates.recipe_files:
        # What is in the files counts: a later fold must choose from the same.
        settings["candidates_sha256"] = candidates_digest(
            check_search(config.candidates)
        )
    return settings


def _tests_at_a_time(manifest, config, num_tests: int) -> int:
    """As many as were asked for, as there are, and as memory allows."""
    wanted = min(run_flags.parallel_tests(), num_tests)
    # The recurrent candidates are small.
    if wanted == 1 or SPECTROGRAM not in config.streams:
        return wanted
    shape = manifest.features["spectrogram"]
    # The search's process, and the one that waits for it.
    needed = LIBRARY_BYTES + search_memory(
        config.network,
        config.search.batch_size // config.search.micro_batches,
        *SpectrogramConfig(**shape).output_shape,
        recompute=config.search.recompute,
    )
    count = workers_that_fit(wanted, needed, available_memory())
    if count < wanted:
        print(
            f"{count} instead of {wanted} tests at a time: a search needs "
            f"about {needed / 1e9:.1f} GB of memory.",
            file=sys.stderr,
        )
    return count


def _share_cores(config: RunConfig, num_tests: int) -> RunConfig:
    """Candidates at a time for each test, where nobody said how many."""
    if num_tests == 1 or config.candidates.num_workers:
        return config
    share = max(1, joblib.cpu_count() // num_tests)
    candidates = dataclasses.replace(config.candidates, num_workers=share)
    return dataclasses.replace(config, candidates=candidates)


def _print_end(
    run_directory, folds, measured, report, system, is_exported=True
) -> None:
    from emotion_nas_tf.evaluation.results import format_table, percent

    directory = run_directory.test(folds[-1].number, folds[-1].test_speaker)
    exported = next(
        test["systems"][system]
        for test in measured["tests"]
        if test["test_speaker"] == directory.test_speaker
    )
    python = _python()
    exported_word = "exported " if is_exported else ""
    model = (
        directory.model
        if is_exported
        else "none, the encoder of the features is not at hand; with wav2vec, "
        "emotion_nas_tf.export --wav2vec_checkpoint=FILE makes it"
    )
    print(
        f"\nFound cells (fold {directory.fold}, test speaker "
        f"{directory.test_speaker}):\n"
        f"{_cells(directory)}\n\n"
        f"{format_table(measured)}\n\n"
        f"Report:      {report}\n"
        f"Unseen speaker {directory.test_speaker}: UA "
        f"{percent(exported['ua'])} by the {exported_word}{system}, chance "
        f"{percent(measured['chance'])}\n"
        f"SavedModel:  {model}\n\n"
        "To go on:\n"
        f"  {python} -m tensorboard.main --logdir={run_directory.path}"
    )
    if is_exported:
        print(
            f"  {python} -m emotion_nas_tf.predict --model={directory.model} "
            "YOUR.wav"
        )


def _cells(directory) -> str:
    """What was found, in words."""
    found = []
    if directory.genotype.is_file():
        found.append(load_genotype(directory.genotype).to_text())
    if directory.recipe.is_file():
        found.append("recurrent cell")
        lines = recipe_lines(load_recipe(directory.recipe))
        found.append(indent(lines, "  "))
    return "\n".join(found)


def _python() -> str:
    """How to call this Python from where the user is."""
    if shutil.which("python") == sys.executable:
        return "python"
    return min(os.path.relpath(sys.executable), sys.executable, key=len)


if __name__ == "__main__":
    program.run(main)
