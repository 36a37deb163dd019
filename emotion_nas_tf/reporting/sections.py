"""What the report says about one test and about all of them."""

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emotion_nas_tf.evaluation.results import DIRECTIONS, percent
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import Genotype, load_genotype
from emotion_nas_tf.search_space.strengths import softmax
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.visualization import plots
from emotion_nas_tf.visualization.cell_graph import draw_genotype
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import read_json

# Which network the first sentence is about: the first that there is.
_SUBJECTS = {
    "retrained": "the network of the found cells, trained from scratch,",
    "inherited": "the network of the found cells, with inherited weights,",
    "search": "the search network",
    "random_cell": "a network of random cells",
}


def summary(results: Mapping) -> str:
    """One sentence: UA on the unseen speakers beside chance."""
    there = list(results["summary"])
    system = next((name for name in _SUBJECTS if name in there), there[0])
    subject = _SUBJECTS.get(system, f"the system {SYSTEMS[system].title}")
    values = results["summary"][system]
    tests = [t for t in results["tests"] if system in t["systems"]]
    speakers = ", ".join(test["test_speaker"] for test in tests)
    many = len(tests) > 1
    text = (
        f"On {'speakers' if many else 'a speaker'} it never heard ({speakers}),"
        f" {subject} has an unweighted accuracy (UA) of "
        f"{percent(values['pooled']['ua'])}"
    )
    if many:
        text += (
            f" over all predictions and {percent(values['mean']['ua'])} as "
            f"the mean of {len(tests)} tests"
        )
    text += (
        f"; guessing among {len(results['label_names'])} emotions gives "
        f"{percent(results['chance'])}."
    )
    return elements.paragraph(text, "summary")


def results_table(results: Mapping) -> str:
    """Tests by systems: UA, and WA and macro F1 in small print."""
    systems = list(results["summary"])
    rows = []
    for test in results["tests"]:
        found = test["systems"]
        count = max(values["num_examples"] for values in found.values())
        name = (
            f"Fold {test['fold']}, speaker {test['test_speaker']}\n"
            f"{count} utterances"
        )
        rows.append([name, *(_metrics(found.get(s)) for s in systems)])
    strong: Sequence[int] = ()
    if len(results["tests"]) > 1:
        num_tests = len(rows)
        of = list(results["summary"].values())
        rows += [
            ["All predictions pooled", *(_metrics_of(v, "pooled") for v in of)],
            ["Mean of the tests", *(_metrics_of(v, "mean") for v in of)],
        ]
        parts = [values["directions"] for values in of]
        rows += [
            [
                f"Sessions' {direction} speakers pooled",
                *(_metrics_of(part.get(direction), "pooled") for part in parts),
            ]
            for direction in DIRECTIONS
            if any(direction in part for part in parts)
        ]
        strong = range(num_tests, len(rows))
    header = ["UA\nWA, macro F1", *(SYSTEMS[s].title for s in systems)]
    meanings = "".join(
        f"<dt>{elements.escape(SYSTEMS[s].title)}</dt>"
        f"<dd>{elements.escape(SYSTEMS[s].meaning)}</dd>"
        for s in systems
    )
    return (
        elements.table(header, rows, strong)
        + elements.paragraph(
            "UA is the mean of the emotions' recalls, so every emotion counts "
            "alike; WA is the share of utterances that are right. An "
            "emotion that a speaker never shows is left out of its UA.",
            "note",
        )
        + f"<dl>{meanings}</dl>"
    )


def confusion_matrices(results: Mapping) -> str:
    """All tests' predictions pooled, a matrix for each system."""
    return elements.grid(
        [
            elements.figure(
                plots.confusion_figure(
                    np.array(values["pooled"]["confusion_matrix"]),
                    results["label_names"],
                ),
                f"{SYSTEMS[system].title}: {values['pooled']['num_examples']} "
                f"utterances, {_count(values)}; percentages of the true "
                "emotion.",
            )
            for system, values in results["summary"].items()
        ]
    )


def test_section(directory: FoldDirectory, metrics: Mapping | None) -> str:
    """Everything about one test that is on disk: cells, alphas, curves."""
    pieces, genotype = [], None
    if directory.genotype.is_file():
        genotype = load_genotype(directory.genotype)
        pieces.append(
            elements.figure(draw_genotype(genotype), "The found cells.")
        )
        pieces.append(
            elements.details(
                "The cells as text", elements.preformatted(genotype.to_text())
            )
        )
    if metrics is not None:
        pieces.append(_recalls(metrics))
    pieces += _watch(directory.spectrogram / "watch.json")
    pieces += _alphas(directory.spectrogram / "alphas.npz", genotype)
    for system in SYSTEMS:
        rows = _history(directory.system(system) / "history.csv")
        if rows:
            drawing = plots.learning_curves(rows)
            name = SYSTEMS[system].title
            pieces.append(elements.figure(drawing, f"Learning curves: {name}."))
    pieces += _settings(directory)
    return "".join(pieces)


def _recalls(metrics: Mapping) -> str:
    rows = [
        [
            SYSTEMS[system].title,
            *(percent(values["recalls"][n]) for n in metrics["label_names"]),
            percent(values["validation_ua"]),
            f"{values['parameters']:,}",
        ]
        for system, values in metrics["systems"].items()
    ]
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
        raise _damaged(path, error) from None
    return [
        elements.heading("What the search says of itself", 3),
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
        raise _damaged(path, error) from None
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


def _history(path: Path) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                {name: float(text) for name, text in row.items() if text}
                for row in csv.DictReader(file)
            ]
    # Spreadsheets write other separators, decimal commas, other encodings.
    except (ValueError, TypeError, csv.Error) as error:
        raise _damaged(path, error) from None
    if any("epoch" not in row for row in rows):
        raise _damaged(path, "no column epoch")
    return rows


def _damaged(path: Path, reason: object) -> UsageError:
    return UsageError(
        f"{path} is damaged ({reason}). Delete it; the report does without."
    )


def _metrics(values: Mapping | None) -> str:
    if values is None:
        return "-"
    others = f"{percent(values['wa'])}, {percent(values['macro_f1'])}"
    return f"{percent(values['ua'])}\n{others}"


def _metrics_of(values: Mapping | None, kind: str) -> str:
    """The same of several tests, with their number: systems may differ."""
    if values is None:
        return "-"
    return f"{_metrics(values[kind])}; {_count(values)}"


def _count(values: Mapping) -> str:
    count = values["num_tests"]
    return f"{count} test{'s' if count > 1 else ''}"


def configuration(path: Path) -> str:
    """A `config.json`, as it is; empty without one."""
    if not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8")
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return elements.paragraph(f"{path} is damaged: it is not JSON.")
    return elements.preformatted(text)


def command(path: Path) -> str:
    """What a `config.json` says the run was made with; empty without."""
    try:
        return str(read_json(path).get("command", ""))
    except (FileNotFoundError, WorkError):
        return ""


def _settings(directory: FoldDirectory) -> list[str]:
    """What each network of a test was made with."""
    found = {
        system: configuration(directory.system(system) / "config.json")
        for system in SYSTEMS
    }
    return [
        elements.details(f"Configuration: {SYSTEMS[system].title}", text)
        for system, text in found.items()
        if text
    ]
