"""What the report says about all tests together."""

from collections.abc import Mapping, Sequence

import numpy as np

from emotion_nas_tf.evaluation import confusions
from emotion_nas_tf.evaluation.tables import (
    comparison_cells,
    interval,
    number,
    percent,
    span,
)
from emotion_nas_tf.evaluation.verdicts import verdicts
from emotion_nas_tf.reporting import elements
from emotion_nas_tf.systems import SYSTEMS, result_of
from emotion_nas_tf.visualization import plots
from emotion_nas_tf.visualization.result_plots import intervals_figure

# How the first sentence calls the system that it is about.
_SUBJECTS = {
    "fusion": "the fusion of both streams",
    "retrained": "the network of the found cells, trained from scratch,",
    "recipe": "the network of the found recurrent cell",
    "inherited": "the network of the found cells, with inherited weights,",
    "search": "the search network",
    "random_cell": "a network of random cells",
}
# With fewer, resampling speakers hardly varies anything.
_ENOUGH_SPEAKERS = 5


def title(system: str) -> str:
    """A system's name for people; a name nobody foresaw is kept."""
    return SYSTEMS[system].title if system in SYSTEMS else system


def summary(results: Mapping) -> str:
    """UA on the unseen speakers beside chance, and beside random cells."""
    system = result_of(results["summary"])
    subject = _SUBJECTS.get(system, f"the system {title(system)}")
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
        text += " over all predictions"
    unit = _unit(values)
    if bounds := _bounds(values):
        text += f" (95 % interval over {unit}: {span(bounds, number)})"
    if many:
        text += (
            f" and {percent(values['mean']['ua'])} as the mean of "
            f"{len(tests)} tests"
        )
    text += (
        f"; guessing among {len(results['label_names'])} emotions gives "
        f"{percent(results['chance'])}."
    )
    return elements.paragraph(text, "summary") + "".join(
        elements.paragraph(sentence)
        for sentence in verdicts(
            results.get("comparisons") or [], results["summary"]
        )
    )


def results_tables(results: Mapping) -> str:
    """Every system over all tests, then test by test."""
    systems = list(results["summary"])
    rows = [_overall_row(s, results["summary"][s]) for s in systems]
    header = [
        "All predictions pooled",
        "UA",
        "95 % over speakers",
        "95 % over utterances",
        "UA, mean of tests",
        "WA",
        "macro F1",
        "calibration error",
        "tests",
    ]
    meanings = "".join(
        f"<dt>{elements.escape(title(s))}</dt>"
        f"<dd>{elements.escape(SYSTEMS[s].meaning)}</dd>"
        for s in systems
        if s in SYSTEMS
    )
    return "".join(
        [
            elements.table(header, rows),
            elements.figure(
                intervals_figure(
                    [
                        (
                            title(s),
                            results["summary"][s]["pooled"]["ua"],
                            _bounds(results["summary"][s]),
                        )
                        for s in systems
                    ],
                    results["chance"],
                ),
                "UA of all predictions pooled; bars are 95 % intervals over "
                f"speakers, or over utterances with fewer than "
                f"{_ENOUGH_SPEAKERS} of them; the dashed line is chance.",
            ),
            elements.paragraph(
                "UA is the mean of the emotions' recalls, so every emotion "
                "counts alike; WA is the share of utterances that are right. "
                "An emotion that a speaker never shows is left out of its UA. "
                "Intervals are bootstrap percentiles; those over speakers say "
                "what other people might give, those over utterances what "
                "other sentences of the same people might. Over few speakers "
                "the former are too narrow.",
                "note",
            ),
            elements.details("What the systems are", f"<dl>{meanings}</dl>"),
            elements.heading("Test by test", 3),
            _tests_table(results, systems),
            _comparisons(results),
        ]
    )


def confusion_matrices(results: Mapping) -> str:
    """All tests' predictions pooled: what goes wrong, then every matrix."""
    shown = result_of(results["summary"])
    pooled = results["summary"][shown]["pooled"]
    labels = results["label_names"]
    name = title(shown)
    header, *rows = confusions.matrix_rows(pooled, labels)
    errors = elements.paragraph(
        confusions.errors_sentence(
            f"{name[0].upper()}{name[1:]}", pooled, labels
        )
    ) + elements.table(header, rows)
    return errors + elements.grid_of_systems(
        {
            system: elements.figure(
                plots.confusion_figure(
                    np.array(values["pooled"]["confusion_matrix"]),
                    results["label_names"],
                ),
                f"{title(system)}: {values['pooled']['num_examples']} "
                f"utterances, {_count(values)}; percentages of the true "
                "emotion.",
            )
            for system, values in results["summary"].items()
        },
        shown,
    )


def _overall_row(system: str, values: Mapping) -> list[str]:
    pooled, mean = values["pooled"], values["mean"]
    calibration = values.get("calibration") or {}
    return [
        title(system),
        percent(pooled["ua"]),
        interval(pooled, "speakers"),
        interval(pooled, "utterances"),
        percent(mean["ua"]),
        percent(pooled["wa"]),
        percent(pooled["macro_f1"]),
        percent(calibration.get("ece")),
        str(values["num_tests"]),
    ]


def _tests_table(results: Mapping, systems: Sequence[str]) -> str:
    tests = results["tests"]
    directions = [
        d
        for d in ("first", "second")
        if len(tests) > 1
        and any(d in results["summary"][s]["directions"] for s in systems)
    ]
    header = ["UA\nWA, macro F1"]
    for test in tests:
        count = max(v["num_examples"] for v in test["systems"].values())
        header.append(
            f"fold {test['fold']}, speaker {test['test_speaker']}\n{count} "
            "utterances"
        )
    header += [f"sessions' {d} speakers\npooled" for d in directions]
    rows = []
    for system in systems:
        row = [title(system)]
        row += [_metrics(test["systems"].get(system)) for test in tests]
        for direction in directions:
            part = results["summary"][system]["directions"].get(direction)
            row.append(
                f"{_metrics(part['pooled'])}; {_count(part)}" if part else "-"
            )
        rows.append(row)
    return elements.table(header, rows)


def _comparisons(results: Mapping) -> str:
    comparisons = results.get("comparisons") or []
    if not comparisons:
        return ""
    rows = [
        [
            f"{title(each['first'])}\nagainst {title(each['second'])}",
            *comparison_cells(each),
        ]
        for each in comparisons
    ]
    header = [
        "",
        "UA, points",
        "95 % over speakers",
        "p, speakers",
        "p, utterances",
        "p, Holm",
        "WA, points",
        "p, McNemar",
    ]
    smallest = max(each["swapping"]["smallest_p"] for each in comparisons)
    limit = (
        f" Over so few speakers it cannot be below {smallest:.3f}."
        if smallest < 1
        else ""
    )
    return (
        elements.heading("Systems compared on the same utterances", 3)
        + elements.table(header, rows)
        + elements.paragraph(
            "p: how often swapping the two systems' answers at random, "
            "utterance by utterance or speaker by speaker, gives as great a "
            f"difference.{limit} Holm: p over utterances, raised because "
            f"{len(comparisons)} comparison"
            f"{'s were' if len(comparisons) > 1 else ' was'} made. A "
            "speaker's utterances resemble each other, so p over utterances "
            "is too small where systems differ from test to test: the "
            "sentences at the top go by speakers.",
            "note",
        )
    )


def _metrics(values: Mapping | None) -> str:
    if values is None:
        return "-"
    others = f"{percent(values['wa'])}, {percent(values['macro_f1'])}"
    return f"{percent(values['ua'])}\n{others}"


def _count(values: Mapping) -> str:
    count = values["num_tests"]
    return f"{count} test{'s' if count > 1 else ''}"


def _unit(values: Mapping) -> str:
    """Over what a system's interval says something."""
    many = values["num_tests"] >= _ENOUGH_SPEAKERS
    return "speakers" if many else "utterances"


def _bounds(values: Mapping) -> Sequence[float] | None:
    of_unit = (values["pooled"].get("intervals") or {}).get(_unit(values))
    return of_unit["ua"] if of_unit else None
