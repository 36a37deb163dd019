"""Tables 1 to 4 in the paper's form, ours beside the paper's numbers."""

import textwrap
from collections.abc import Sequence

from emotion_nas_tf.reporting.measured import MeasuredRun
from emotion_nas_tf.reporting.paper import (
    PaperTable,
    Row,
    millions,
    paper_tables,
)
from emotion_nas_tf.systems import SYSTEMS

_NOT_MEASURED = "not measured"
_NOT_OURS = "-"
_LINE_WIDTH = 80
# A table is wider than text, and its last column is broken where it must be.
_TABLE_WIDTH, _LEAST_WIDTH = 100, 30
# As far as the UA goes.
_INDENT = " " * len("75.4  ")


def format_tables(
    runs: Sequence[MeasuredRun], output_format: str = "text"
) -> str:
    """All four tables.

    Args:
      runs: to take our UA from; none will do.
      output_format: one of `config.REPORT_FORMATS`.
    """
    is_markdown = output_format == "markdown"
    parts = []
    for table in paper_tables():
        title = f"Table {table.number}. {table.title}"
        parts.append(f"### {title}" if is_markdown else title)
        rows = [_header(table), *(_cells(table, r, runs) for r in table.rows)]
        parts.append((_markdown if is_markdown else _aligned)(rows))
        if table.remark:
            parts.append(_wrapped(table.remark, is_markdown))
    parts.append(_wrapped(_LEGEND, is_markdown))
    notes = [
        f"[{number}] {run.describe()}" for number, run in enumerate(runs, 1)
    ]
    if notes:
        parts.append(
            "\n\n".join(notes)
            if is_markdown
            else "\n".join(_wrapped(note, is_markdown) for note in notes)
        )
    presets = [row.preset for t in paper_tables() for row in t.rows]
    parts.append(
        _wrapped(
            "To measure a row: python -m emotion_nas_tf.run "
            "--flagfile=flags/presets/NAME.flags with NAME one of "
            f"{', '.join(filter(None, presets))}. {' and '.join(_SAME_RUN)} "
            "differ in --run_dir alone: one run serves the rows of both.",
            is_markdown,
        )
    )
    return "\n\n".join(parts)


_LEGEND = (
    "UA: unweighted accuracy in percent, the mean of the classes' recalls; the "
    "paper's on IEMOCAP, improvised, four emotions; ours over all predictions "
    "of a run pooled, of networks of the size and on the corpus and features "
    "that stand beside it, with their weights: from the fewest to the most "
    "where the tests' cells differ. Counted: the weights of the row's network "
    "from its structure, without any data. A dash: a system of others, of "
    "which nothing is counted or measured here."
)
# Of rows that are of the same networks.
_SAME_RUN = ("table1_emotionnas", "table2_emotionnas")


def _header(table: PaperTable) -> list[str]:
    parameters = ["paper: weights", "counted"]
    return [
        table.heading,
        *(parameters if table.has_parameters else []),
        "paper: UA",
        "ours: UA",
    ]


def _cells(
    table: PaperTable, row: Row, runs: Sequence[MeasuredRun]
) -> list[str]:
    cells = [row.name]
    if table.has_parameters:
        count = row.parameters
        ours = _NOT_OURS if count is None else f"{millions(count)} ({count:,})"
        cells += [row.printed_parameters, ours]
    return [*cells, f"{row.ua:.1f}", _ours(row, runs)]


def _ours(row: Row, runs: Sequence[MeasuredRun]) -> str:
    """Two lines for each system of each run that is of this row."""
    if not row.systems:
        return _NOT_OURS
    found = [
        f"{100 * measured.ua:.1f}  {SYSTEMS[name].title} [{number}]\n{_INDENT}"
        f"({'; '.join(filter(None, (run.corpus_title, measured.describe())))})"
        for number, run in enumerate(runs, 1)
        for name in row.systems
        if name in SYSTEMS and name in run.systems
        for measured in [run.systems[name]]
        if measured.ua is not None
        and all(measured.size.get(k) == value for k, value in row.size.items())
    ]
    return "\n".join(found) or _NOT_MEASURED


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    lines = []
    others = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    left = max(_LEAST_WIDTH, _TABLE_WIDTH - sum(others) - 2 * len(others))
    for row in rows:
        *first, last = row
        first_line, *more = [
            piece
            for line in last.split("\n")
            for piece in textwrap.wrap(
                line,
                left,
                subsequent_indent=_INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
        ]
        lines.append([*first, first_line])
        lines += [[*([""] * len(first)), line] for line in more]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    ends = (0, len(widths) - 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index in ends else cell.rjust(width)
            for index, (cell, width) in enumerate(
                zip(line, widths, strict=True)
            )
        ).rstrip()
        for line in lines
    )


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    header, *body = rows
    middle = ["---:"] * (len(header) - 2)
    lines = [header, ["---", *middle, "---"], *body]
    return "\n".join(
        f"| {' | '.join(line)} |".replace(f"\n{_INDENT}", " ").replace(
            "\n", "<br>"
        )
        for line in lines
    )


def _wrapped(text: str, is_markdown: bool) -> str:
    if is_markdown:
        return text
    return textwrap.fill(
        text, _LINE_WIDTH, break_long_words=False, break_on_hyphens=False
    )
