"""Tables of results for a terminal, from the content of `results.json`."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from emotion_nas_tf.evaluation import confusions, statistics
from emotion_nas_tf.evaluation.verdicts import verdicts
from emotion_nas_tf.systems import SYSTEMS, result_of

_PERCENT = f"{100 * statistics.CONFIDENCE:.0f} %"
_WIDTH = 80


def tests_table(results: Mapping) -> str:
    """Every test and system, a line each, and all tests together."""
    rows = [("test", "system", "UA", "WA", "macro F1", "utterances")]
    for test in results["tests"]:
        name = f"fold {test['fold']}, speaker {test['test_speaker']}"
        for system, values in test["systems"].items():
            rows.append(_row(name, system, values, values["num_examples"]))
            name = ""
    if len(results["tests"]) > 1:
        for system, summary in results["summary"].items():
            count = f"{summary['num_tests']} tests"
            pooled = summary["pooled"]
            rows.append(
                _row(f"{count}, pooled", system, pooled, pooled["num_examples"])
            )
            rows.append(_row(f"{count}, mean", system, summary["mean"], ""))
            for direction, part in summary["directions"].items():
                name = f"{part['num_tests']} of {direction} speakers, pooled"
                pooled = part["pooled"]
                rows.append(_row(name, system, pooled, pooled["num_examples"]))
    return align(rows, num_left=2)


def intervals_table(results: Mapping) -> str:
    """UA of every system with its intervals, and its calibration."""
    rows = [
        (
            "all tests",
            "UA, pooled",
            f"{_PERCENT} speakers",
            f"{_PERCENT} utterances",
            "UA, mean",
            f"{_PERCENT} speakers",
            "ECE",
            "with temperature",
        )
    ]
    for system, summary in results["summary"].items():
        pooled, mean = summary["pooled"], summary["mean"]
        calibration = summary["calibration"] or {}
        rows.append(
            (
                system,
                percent(pooled["ua"]),
                interval(pooled, "speakers"),
                interval(pooled, "utterances"),
                percent(mean["ua"]),
                interval(mean, "speakers"),
                percent(calibration.get("ece")),
                percent(calibration.get("ece_after")),
            )
        )
    return align(rows)


def comparisons_table(comparisons: Sequence[Mapping]) -> str:
    """Differences between systems in points, and how sure they are."""
    rows = [
        (
            "paired, pooled",
            "UA",
            f"{_PERCENT} speakers",
            "p speakers",
            "p utterances",
            "Holm",
            "WA",
            "McNemar p",
        )
    ]
    rows += [
        (f"{each['first']} - {each['second']}", *comparison_cells(each))
        for each in comparisons
    ]
    return align(rows)


def legend(results: Mapping) -> str:
    """What the columns mean and what the numbers say, in print."""
    lines = [
        "UA: unweighted accuracy, the mean of the classes' recalls. WA: the "
        "share of\nutterances that are right. Pooled: over all predictions; "
        "mean: of the tests.",
        f"{_PERCENT}: percentile intervals of {statistics.RESAMPLES:,} "
        "bootstrap samples, of speakers whole or\nof utterances. ECE: "
        "expected calibration error, 15 bins; with the temperature\nfitted on "
        "each validation speaker (worth nothing where a fusion was fitted on\n"
        "the same).",
    ]
    comparisons = results["comparisons"]
    if comparisons:
        smallest = max(c["swapping"]["smallest_p"] for c in comparisons)
        limit = f" (then never below {smallest:.3f} here)"
        lines.append(
            _filled(
                "p of UA: swapping the two systems' answers, utterance by "
                "utterance or speaker by speaker"
                f"{limit if smallest < 1 else ''}; Holm: p utterances, for "
                f"{len(comparisons)} comparison"
                f"{'s' if len(comparisons) > 1 else ''}. A speaker's "
                "utterances resemble each other: p utterances is too small "
                "where systems differ from test to test. WA: McNemar, exact."
            )
        )
    lines += _missing_classes(results)
    sentences = [
        _filled(sentence)
        for sentence in verdicts(comparisons, results["summary"])
    ]
    lines += ["", *sentences] if sentences else []
    lines += ["", errors_text(results), ""]
    lines.append(
        f"Chance: {percent(results['chance'])} "
        f"({len(results['label_names'])} classes)"
    )
    return "\n".join(lines)


def errors_text(results: Mapping) -> str:
    """What the run's result gets wrong, over all tests."""
    system = result_of(results["summary"])
    pooled = results["summary"][system]["pooled"]
    labels = results["label_names"]
    title = SYSTEMS[system].title
    return "\n".join(
        [
            align(confusions.matrix_rows(pooled, labels)),
            _filled(
                confusions.errors_sentence(
                    f"{title[0].upper()}{title[1:]}", pooled, labels
                )
            ),
        ]
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False)


def _missing_classes(results: Mapping) -> Iterator[str]:
    """A line for each test whose speaker never shows some class."""
    for test in results["tests"]:
        recalls = next(iter(test["systems"].values()))["recalls"]
        missing = [name for name, recall in recalls.items() if recall is None]
        if missing:
            yield (
                f"Fold {test['fold']}, speaker {test['test_speaker']}: no "
                f"utterance of {', '.join(missing)}; UA is over "
                f"{len(recalls) - len(missing)} of {len(recalls)} classes."
            )


def runs_table(runs: Mapping) -> str:
    """Mean and spread of several runs' pooled and mean metrics.

    The last column is of the runs' averaged probabilities.
    """
    rows = [
        (
            "system",
            "metric",
            "mean",
            "s.d.",
            "lowest",
            "highest",
            "runs",
            "ensemble",
        )
    ]
    for system, blocks in runs["systems"].items():
        name = system
        for block, title in (("pooled", "pooled"), ("mean", "mean of tests")):
            for metric, shown in (
                ("ua", "UA"),
                ("wa", "WA"),
                ("macro_f1", "macro F1"),
            ):
                values = blocks[block][metric]
                rows.append(
                    (
                        name,
                        f"{shown}, {title}",
                        percent(values["mean"]),
                        number(values["standard_deviation"]),
                        percent(values["lowest"]),
                        percent(values["highest"]),
                        str(values["num_runs"]),
                        percent(values["ensemble"]),
                    )
                )
                name = ""
    return align(rows, num_left=2)


def align(rows: Sequence[Sequence[str]], num_left: int = 1) -> str:
    """Columns under each other: words to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < num_left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def percent(value: float | None) -> str:
    """`0.8125` -> `81.2 %`; a dash where there is no number."""
    return "-" if value is None else f"{100 * value:.1f} %"


def interval(values: Mapping, unit: str) -> str:
    """The interval of UA over `speakers` or `utterances`, in percent.

    Args:
      values: metrics with their `intervals`.
      unit: one of the two.
    """
    of_unit = (values.get("intervals") or {}).get(unit)
    return span(of_unit and of_unit["ua"], number)


def span(bounds: Iterable[float] | None, show: Callable[[float], str]) -> str:
    """`0.5, 0.75` -> `50.0 to 75.0`; a dash where there is none."""
    return "-" if bounds is None else " to ".join(map(show, bounds))


def number(value: float | None) -> str:
    """`0.8125` -> `81.2`; a dash where there is no number."""
    return "-" if value is None else f"{100 * value:.1f}"


def points(value: float) -> str:
    """A difference in points, with its sign: `0.031` -> `+3.1`."""
    return f"{100 * value:+.1f}"


def comparison_cells(comparison: Mapping) -> tuple[str, ...]:
    """A row of a table of comparisons, without its name.

    Args:
      comparison: one of `comparisons.compare_systems`.

    Returns:
      UA in points and its interval over speakers; p of swapping by speakers,
      by utterances, and this after Holm; WA in points, p of McNemar.
    """
    swapping = comparison["swapping"]
    # Of one speaker there is nobody to tell apart.
    many = comparison["num_speakers"] > 1
    return (
        points(comparison["ua"]["difference"]),
        span(comparison["ua"]["intervals"].get("speakers"), points),
        f"{swapping['speakers']:.3f}" if many else "-",
        f"{swapping['utterances']:.3f}",
        f"{swapping['utterances_holm']:.3f}",
        points(comparison["wa"]["difference"]),
        f"{comparison['mcnemar']['p']:.3f}",
    )


def _row(name: str, system: str, values: Mapping, count: object) -> tuple:
    shown = [percent(values[key]) for key in ("ua", "wa", "macro_f1")]
    return (name, system, *shown, str(count))
