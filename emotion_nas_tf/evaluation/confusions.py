"""Confusions: which emotion was heard as which, in print.

    true     neutral  angry  happy  sad   recall
    happy          2     14     45    3   70.3 %

    Of 64 happy utterances 14 were heard as angry.

Pure: no TensorFlow.
"""

from collections.abc import Mapping, Sequence

import numpy as np

# Confusions that a sentence names.
_MOST_NAMED = 3


def matrix_rows(
    values: Mapping, label_names: Sequence[str]
) -> list[tuple[str, ...]]:
    """A confusion matrix as a table: header, then a row for each emotion.

    Args:
      values: metrics with `confusion_matrix` and `recalls`.
      label_names: the K classes.
    """
    rows = [("spoken, heard as", *label_names, "recall")]
    for name, counts in zip(
        label_names, values["confusion_matrix"], strict=True
    ):
        recall = values["recalls"][name]
        shown = "-" if recall is None else f"{100 * recall:.1f} %"
        rows.append((name, *map(str, counts), shown))
    return rows


def errors_sentence(
    subject: str, values: Mapping, label_names: Sequence[str]
) -> str:
    """How many answers were wrong, and the most frequent confusions.

    Args:
      subject: whose answers, as the sentence begins.
      values: metrics with `confusion_matrix`.
      label_names: the K classes.
    """
    matrix = np.asarray(values["confusion_matrix"])
    total, right = int(matrix.sum()), int(np.trace(matrix))
    result = f"{subject}: {total - right} of {total} answers are wrong."
    named = most_frequent(matrix)
    if not named:
        return result
    shown = "; ".join(
        f"{label_names[true]} heard as {label_names[heard]}: "
        f"{matrix[true, heard]} of {matrix[true].sum()}"
        for true, heard in named
    )
    return f"{result} Most frequent: {shown}."


def most_frequent(
    matrix: np.ndarray, limit: int = _MOST_NAMED
) -> list[tuple[int, int]]:
    """The cells beside the diagonal with the greatest counts.

    Args:
      matrix: (K, K) counts; rows are the truth.
      limit: how many at most.

    Returns:
      (true, heard), the greatest first; of equals the rarer emotion first,
      for which it is the greater part; none that never happened.
    """
    totals = matrix.sum(axis=1)
    cells = [
        (true, heard)
        for (true, heard), count in np.ndenumerate(matrix)
        if true != heard and count
    ]
    cells.sort(key=lambda cell: (-matrix[cell], totals[cell[0]], cell))
    return cells[:limit]
