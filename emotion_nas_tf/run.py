"""Program: the whole procedure for the folds asked for.

    python -m emotion_nas_tf.run --fold=2

Search, training of the derived networks, evaluation on the unseen speaker,
export, report. What is finished is not done again: after a kill, the same
command goes on.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.serving.model_folder import exported_system
from emotion_nas_tf.systems import SPECTROGRAM, systems_of
from flags import (
    network_flags,
    protocol_flags,
    run_flags,
    search_flags,
    train_flags,
)
from tfrecords_builder import program
from tfrecords_builder.files import read_json

EXPORTED = "retrained"


def main(argv: Sequence[str]) -> None:
    """Checks what was asked, does it, and says where everything is."""
    program.refuse_arguments(argv)
    protocol = protocol_flags.protocol_config()
    network = network_flags.network_config()
    searching, training = (
        search_flags.search_config(),
        train_flags.train_config(),
    )
    manifest, folds = open_records(protocol)
    run_directory = RunDirectory(protocol.run_dir)

    program.load_tensorflow()
    from emotion_nas_tf.evaluation import results
    from emotion_nas_tf.evaluation.fold_evaluation import evaluate_fold
    from emotion_nas_tf.reporting.html import write_report
    from emotion_nas_tf.serving.exporting import export_system
    from emotion_nas_tf.serving.selection import clips_of_test
    from emotion_nas_tf.training.derived_systems import train_fold
    from emotion_nas_tf.training.searching import search_fold
    from emotion_nas_tf.training.state import claim_folder

    claim_folder(
        protocol.run_dir,
        run_flags.run_settings(manifest.digest, network, searching, training),
        command=shlex.join(
            ["python", "-m", "emotion_nas_tf.run", *sys.argv[1:]]
        ),
    )
    for fold in folds:
        directory = run_directory.test(fold.number, fold.test_speaker)
        search_fold(
            protocol.records_dir, manifest, fold, directory, network, searching
        )
        train_fold(
            protocol.records_dir,
            manifest,
            fold,
            directory,
            network,
            training,
            network.systems[1:],
        )
        if not has_results(directory, manifest.fingerprint, network.systems):
            evaluate_fold(protocol.records_dir, protocol.run_dir, fold)
        if not has_model(directory, network.systems):
            clips = clips_of_test(protocol.records_dir, directory)
            print(
                export_system(directory, EXPORTED, clips=clips).to_text(),
                flush=True,
            )
    measured = results.write_results(run_directory)
    report = write_report(run_directory)
    _print_end(run_directory, folds, measured, report)


def has_results(
    directory: FoldDirectory,
    fingerprint: str,
    systems: Sequence[str] = systems_of(SPECTROGRAM),
) -> bool:
    """Whether every network of a test, as it is now, has been evaluated."""
    if not _is_up_to_date(directory, directory.metrics, systems):
        return False
    metrics = read_json(directory.metrics)
    return (
        set(systems) <= set(metrics["systems"])
        and metrics["fingerprint"] == fingerprint
    )


def has_model(
    directory: FoldDirectory, systems: Sequence[str] = systems_of(SPECTROGRAM)
) -> bool:
    """Whether the retrained network, as it is now, has been exported."""
    return exported_system(directory.model) == EXPORTED and _is_up_to_date(
        directory, directory.model / "saved_model.pb", systems
    )


def _is_up_to_date(
    directory: FoldDirectory, path: Path, systems: Sequence[str]
) -> bool:
    return path.is_file() and all(
        directory.info(system).stat().st_mtime <= path.stat().st_mtime
        for system in systems
    )


def _print_end(run_directory, folds, measured, report) -> None:
    from emotion_nas_tf.evaluation.results import format_table, percent
    from emotion_nas_tf.search_space.genotype import load_genotype

    directory = run_directory.test(folds[-1].number, folds[-1].test_speaker)
    exported = next(
        test["systems"][EXPORTED]
        for test in measured["tests"]
        if test["test_speaker"] == directory.test_speaker
    )
    python = _python()
    print(
        f"\nFound cells (fold {directory.fold}, test speaker "
        f"{directory.test_speaker}):\n"
        f"{load_genotype(directory.genotype).to_text()}\n\n"
        f"{format_table(measured)}\n\n"
        f"Report:      {report}\n"
        f"Unseen speaker {directory.test_speaker}: UA "
        f"{percent(exported['ua'])} by the exported network, chance "
        f"{percent(measured['chance'])}\n"
        f"SavedModel:  {directory.model}\n\n"
        "To go on:\n"
        f"  {python} -m tensorboard.main --logdir={run_directory.path}\n"
        f"  {python} -m emotion_nas_tf.predict --model={directory.model} "
        "YOUR.wav"
    )


def _python() -> str:
    """How to call this Python from where the user is."""
    if shutil.which("python") == sys.executable:
        return "python"
    return min(os.path.relpath(sys.executable), sys.executable, key=len)


if __name__ == "__main__":
    program.run(main)
