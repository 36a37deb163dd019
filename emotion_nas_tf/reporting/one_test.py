"""What the report says about one test: cells, alpha, candidates, curves."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emotion_nas_tf.evaluation.tables import percent
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.reporting.candidates_section import recurrent_section
from emotion_nas_tf.reporting.overall import title
from emotion_nas_tf.reporting.reading import damaged, read_history
from emotion_nas_tf.reporting.repeating import configuration
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import Genotype, load_genotype
from emotion_nas_tf.search_space.strengths import softmax
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.visualization import plots
from emotion_nas_tf.visualization.cell_graph import draw_genotype
from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import read_json


def test_section(directory: FoldDirectory, metrics: Mapping | None) -> str:
    """Everything about one test that is on disk, stream by stream."""
    spectrogram, genotype = [], None
    if directory.genotype.is_file():
        genotype = load_genotype(directory.genotype)
        spectrogram += [
            elements.figure(draw_genotype(genotype), "The found cells."),
            elements.details(
                "The cells as text", elements.preformatted(genotype.to_text())
            ),
        ]
    spectrogram += _watch(directory.spectrogram / "watch.json")
    spectrogram += _alphas(directory.spectrogram / "alphas.npz", genotype)
    return "".join(
        [
            _recalls(metrics) if metrics is not None else "",
            *_titled("Spectrogram stream", spectrogram),
            *_titled("Recurrent stream", recurrent_section(directory)),
            *_titled("Learning curves", _curves(directory)),
            *_settings(directory),
        ]
    )


def _titled(text: str, pieces: list[str]) -> list[str]:
    return [elements.heading(text, 3), *pieces] if pieces else []


def _curves(directory: FoldDirectory) -> list[str]:
    histories = {
        system: read_history(directory.system(system) / "history.csv")
        for system in SYSTEMS
    }
    return [
        elements.figure(plots.learning_curves(rows), f"{title(system)}.")
        for system, rows in histories.items()
        if rows
    ]


def _recalls(metrics: Mapping) -> str:
    rows = []
    for system, values in metrics["systems"].items():
        weights = values.get("parameters")
        rows.append(
            [
                title(system),
                *(
                    percent(values["recalls"][n])
                    for n in metrics["label_names"]
                ),
                percent(values.get("validation_ua")),
                "-" if weights is None else f"{weights:,}",
            ]
        )
    validation = f"UA on the validation speaker {metrics['validation_speaker']}"
    return elements.heading("Recall of each emotion", 3) + elements.table(
        ["", *metrics["label_names"], validation, "weights"], rows
    )


def _watch(path: Path) -> list[str]:
    """What the search said of itself when it had ended."""
    if not path.is_file():
        return []
    try:
        judgements = [
            (judgement["concern"], judgement["sentence"])
            for judgement in read_json(path)["judgements"]
        ]
    except (WorkError, KeyError, TypeError) as error:
        raise damaged(path, error) from None
    return [
        elements.heading("What the search says of itself", 4),
        *(
            elements.paragraph(f"Attention: {text}" if concern else text)
            for concern, text in judgements
        ),
    ]


def _alphas(path: Path, genotype: Genotype | None) -> list[str]:
    if not path.is_file():
        return []
    try:
        # Without pickle: a file may come from anywhere.
        with np.load(path, allow_pickle=False) as file:
            # Earlier searches kept the logits alone.
            strengths = (
                file["strengths"]
                if "strengths" in file
                else softmax(file["alphas"])
            )
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise damaged(path, error) from None
    if not len(strengths):
        return []
    return [
        elements.figure(
            plots.alpha_history(strengths),
            "How the search shifted its weight between the operations.",
        ),
        elements.figure(
            plots.alpha_heat_map(*strengths[-1], genotype=genotype),
            "Architecture weights after the last epoch, in per cent.",
        ),
    ]


def _settings(directory: FoldDirectory) -> list[str]:
    """What each network of a test was made with."""
    found = {
        system: configuration(directory.system(system) / "config.json")
        for system in SYSTEMS
    }
    return [
        elements.details(f"Configuration: {title(system)}", text)
        for system, text in found.items()
        if text
    ]
