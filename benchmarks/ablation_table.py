"""What an ablation measured, as a table."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfrecords_builder.history import HISTORY_NAME, read_history

# UA of the best epoch, and on average of the second half of all.
BEST, LATER = "best", "later"
# Heads the columns of `compare`.
COMPARISON = f"{'difference':>12}  better  worse"


def validation_ua(folder: Path) -> dict[str, float]:
    """Of a finished training: `BEST` and `LATER`."""
    values = [
        row["validation_ua"] for row in read_history(folder / HISTORY_NAME)
    ]
    return {
        BEST: max(values),
        LATER: statistics.fmean(values[len(values) // 2 :]),
    }


def compare(values: Sequence[float], reference: Sequence[float]) -> str:
    """Mean difference in points, its standard error, how many were which.

    Args:
      values: UAs.
      reference: UAs of the same trainings of what is compared with.
    """
    gains = [100 * (a - b) for a, b in zip(values, reference, strict=True)]
    difference = f"{statistics.fmean(gains):+.1f}"
    if len(gains) > 1:
        error = statistics.stdev(gains) / len(gains) ** 0.5
        difference += f" ±{error:.1f}"
    return (
        f"{difference:>12}  {sum(g > 0 for g in gains):6}  "
        f"{sum(g < 0 for g in gains):5}"
    )


def format_table(
    names: list[str], measured: Mapping[str, list[Mapping[str, float]]]
) -> str:
    """The sets that are complete, the first one as the reference.

    Args:
      names: all sets.
      measured: set to `validation_ua`, in one order of folds and seeds.
    """
    width = max(map(len, names))
    part = f"{'UA':>6}  {COMPARISON}"
    lines = [
        f"{'':{width}}  {'':9}  {'best epoch':{len(part)}}  later epochs",
        f"{'options':{width}}  trainings  {part}  {part}",
    ]
    for name in names:
        if name not in measured:
            continue
        line = f"{name:{width}}  {len(measured[name]):9}"
        for kind in (BEST, LATER):
            values = [each[kind] for each in measured[name]]
            reference = [each[kind] for each in measured[names[0]]]
            line += f"  {100 * statistics.fmean(values):6.1f}  "
            if name == names[0]:
                line += " " * (len(part) - 8)
                continue
            line += compare(values, reference)
        lines.append(line.rstrip())
    return "\n".join(lines)
