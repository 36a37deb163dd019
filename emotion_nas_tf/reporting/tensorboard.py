"""What TensorBoard shows of a run's tests.

    fold_2/test_08/tensorboard/retrained/    events*  embeddings.tsv ...

Written after the tests, by `report`, not by `evaluate`: it is made anew from
what is on disk as often as one likes, a run on a cluster need not carry audio,
and an evaluation stays as fast as it is. HParams sets every system's settings
beside its test; the other tabs have confusion, PR curves, the clips that were
misheard, and the utterances as points.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.pr_curve import metadata as pr_curves

from emotion_nas_tf.data.folds import Fold, make_folds
from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.answers_on_disk import Answers, read_answers
from emotion_nas_tf.reporting.embeddings import embed, write_embeddings
from emotion_nas_tf.reporting.overall import title
from emotion_nas_tf.reporting.records_section import records_of
from emotion_nas_tf.run_directory import FoldDirectory, RunDirectory
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training.summaries import file_writer
from emotion_nas_tf.visualization import plots
from emotion_nas_tf.visualization.operation_style import CARD_PIXELS
from tfrecords_builder.audio import AudioError, load_audio
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import read_json
from tfrecords_builder.records import RecordsManifest

# Systems that have a map of the utterances, the results of the streams; and,
# with the fusion, those whose mistakes can be heard.
_EMBEDDED = ("retrained", "recipe")
_HEARD = ("fusion", *_EMBEDDED)
_NUM_CLIPS = 6
# Of more folders with events TensorBoard ticks none at first.
_MOST_SHOWN = 40
_SAMPLE_RATE_HZ = 16_000
_NUM_THRESHOLDS = 101


def write_summaries(run_directory: RunDirectory, records_dir: Path) -> str:
    """Writes event files of every evaluated test, anew.

    Args:
      run_directory: the run.
      records_dir: its records, for clips and points; does without them when
        they are not there, or not the run's.

    Returns:
      What was written and how to look at it, for people.

    Raises:
      UsageError: when there is no run, or no test of it has been evaluated.
    """
    run_directory.check_exists()
    tests = [t for t in run_directory.tests() if t.metrics.is_file()]
    if not tests:
        raise UsageError(
            f"No test of the run {run_directory.path} has been evaluated. "
            f"`python -m emotion_nas_tf.evaluate --run_dir={run_directory.path}"
            " --fold=NUMBER` evaluates one."
        )
    manifest = records_of(records_dir, tests)
    clips = 0
    for test in tests:
        clips += _write_test(test, records_dir, manifest)
    lines = [f"{len(tests)} test{'s' if len(tests) > 1 else ''} written."]
    if manifest is None:
        lines.append(
            f"The run's records are not in {records_dir}: no clips, no points. "
            "--records_dir names their folder."
        )
    else:
        lines.append(f"{clips} misheard clips.")
    lines.append(
        f"python -m tensorboard.main --logdir={run_directory.path} shows them."
    )
    events = run_directory.path.rglob("events.out.tfevents.*")
    if len({path.parent for path in events}) > _MOST_SHOWN:
        lines.append(
            "So many curves and matrices are not shown at once: tick some on "
            f"the left, or look at one fold, --logdir={tests[0].path.parent}."
        )
    return "\n".join(lines)


def _write_test(
    test: FoldDirectory, records_dir: Path, manifest: RecordsManifest | None
) -> int:
    """Returns how many clips were written."""
    metrics = results.read_metrics(test)
    answers = read_answers(test.predictions, metrics["label_names"])
    root = test.path / "tensorboard"
    # What an earlier report wrote would be shown as well.
    shutil.rmtree(root, ignore_errors=True)
    fold = None if manifest is None else _fold(test, manifest)
    clips = 0
    for system, values in metrics["systems"].items():
        folder = root / system
        folder.mkdir(parents=True)
        writer = file_writer(folder, ".test")
        with writer.as_default(step=0):
            hparams.hparams(
                _settings(test, system),
                trial_id=f"fold {test.fold}, {test.test_speaker}, {system}",
            )
            _write_scalars(values)
            _write_confusion(values, metrics["label_names"], title(system))
            if system in answers:
                _write_pr_curves(answers[system], metrics["label_names"])
            if system in answers and system in _HEARD and manifest is not None:
                clips += _write_clips(answers[system], manifest)
        writer.close()
        if system in _EMBEDDED and fold and test.info(system).is_file():
            points = embed(records_dir, manifest, test, system)
            write_embeddings(folder, title(system), points, manifest, fold)
    return clips


def _fold(test: FoldDirectory, manifest: RecordsManifest) -> Fold | None:
    folds = make_folds(manifest, test.fold, allow_missing_classes=True)
    same = [f for f in folds if f.test_speaker == test.test_speaker]
    return same[0] if same else None


def _settings(test: FoldDirectory, system: str) -> dict:
    """Settings that HParams can sort by, from the system's own files."""
    known = SYSTEMS.get(system)
    settings = {
        "system": system,
        "stream": known.stream if known else "",
        "fold": test.fold,
        "test_speaker": test.test_speaker,
    }
    if known is None:
        return settings
    folder = test.system(system)
    network = _read(folder / "network.json").get("network") or {}
    for fields in (network, _read(folder / "config.json")):
        settings |= {
            key: value
            for key, value in fields.items()
            if isinstance(value, int | float | str | bool)
            and key not in ("program", "records", "command", "test_speaker")
        }
    return settings


def _write_scalars(values: Mapping) -> None:
    for key, tag in (
        ("ua", "test/UA"),
        ("wa", "test/WA"),
        ("macro_f1", "test/macro F1"),
        ("validation_ua", "test/validation UA"),
        ("parameters", "test/weights"),
    ):
        if values.get(key) is not None:
            tf.summary.scalar(tag, values[key])


def _write_confusion(values: Mapping, labels: list[str], name: str) -> None:
    figure = plots.confusion_figure(
        np.array(values["confusion_matrix"]), labels, name
    )
    # A wider one TensorBoard would shrink by dropping pixels.
    figure.set_dpi(CARD_PIXELS / figure.get_figwidth())
    tf.summary.image("confusion", plots.figure_to_image(figure))


def _write_pr_curves(answers: Answers, labels: list[str]) -> None:
    # The plugin's own writer needs TensorFlow 1; its data are six rows.
    for label, name in enumerate(labels):
        if not (answers.labels == label).any():
            continue
        tag = f"PR curve/{name}"
        metadata = pr_curves.create_summary_metadata(tag, "", _NUM_THRESHOLDS)
        tf.summary.write(
            tag,
            answers.precision_recall(label, _NUM_THRESHOLDS),
            metadata=tf.compat.v1.SummaryMetadata.FromString(
                metadata.SerializeToString()
            ),
        )


def _write_clips(answers: Answers, manifest: RecordsManifest) -> int:
    entries = {entry.id: entry for entry in manifest.entries}
    labels, written = manifest.label_names, 0
    for place in answers.mistakes()[:_NUM_CLIPS]:
        entry = entries.get(answers.ids[place])
        if entry is None or not entry.path:
            continue
        try:
            waveform = load_audio(entry.path, _SAMPLE_RATE_HZ).waveform
        except AudioError:
            # The recording has gone since; the others may be there.
            continue
        probabilities = answers.probabilities[place]
        heard, meant = probabilities.argmax(), answers.labels[place]
        tf.summary.audio(
            f"misheard/{labels[meant]} heard as {labels[heard]}: {entry.id}",
            waveform[None, :, None],
            _SAMPLE_RATE_HZ,
            description=(
                f"Speaker {entry.speaker}, {entry.duration_seconds:.1f} s. "
                f"{labels[heard]} {probabilities[heard]:.0%}, "
                f"{labels[meant]} {probabilities[meant]:.0%}."
            ),
        )
        written += 1
    return written


def _read(path: Path) -> dict:
    try:
        return read_json(path)
    except (FileNotFoundError, WorkError):
        return {}
