"""A test's answers as `predictions.csv` keeps them. Pure NumPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.reporting.reading import damaged, read_rows


@dataclass(frozen=True)
class Answers:
    """One system's answers on a test.

    Attributes:
      ids: the utterances'.
      labels: (n,) true classes.
      probabilities: (n, K).
    """

    ids: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray

    def mistakes(self) -> np.ndarray:
        """Places of the wrong answers, the surest first."""
        predicted = self.probabilities.argmax(axis=1)
        wrong = np.flatnonzero(predicted != self.labels)
        sureness = self.probabilities.max(axis=1)[wrong]
        return wrong[np.argsort(-sureness, kind="stable")]

    def precision_recall(self, label: int, num_thresholds: int) -> np.ndarray:
        """One class against the others, at thresholds from 0 to 1.

        Returns:
          (6, num_thresholds) float32: true positives, false positives, true
          negatives, false negatives, precision, recall.
        """
        score = self.probabilities[:, label]
        is_positive = self.labels == label
        above = score >= np.linspace(0, 1, num_thresholds)[:, None]
        counts = [
            (above & is_positive).sum(axis=1),
            (above & ~is_positive).sum(axis=1),
            (~above & ~is_positive).sum(axis=1),
            (~above & is_positive).sum(axis=1),
        ]
        true_positives, false_positives, _, false_negatives = counts
        precision = true_positives / np.maximum(
            true_positives + false_positives, 1
        )
        recall = true_positives / np.maximum(
            true_positives + false_negatives, 1
        )
        return np.array([*counts, precision, recall], np.float32)


# Before the probabilities, `p_` and a class each.
COLUMNS = ("system", "id", "speaker", "label", "predicted")


def rows_by_system(path: Path) -> dict[str, list[dict[str, str]]]:
    """Every system's rows, by name; none without the file.

    Raises:
      UsageError: when one has not all its values.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(read_rows(path), start=1):
        if not set(COLUMNS) <= set(row) or None in row.values():
            raise damaged(path, f"row {number} lacks values")
        found.setdefault(row["system"], []).append(row)
    return found


def read_answers(
    path: Path, label_names: Sequence[str]
) -> Mapping[str, Answers]:
    """Every system's answers, by name; none without the file.

    Raises:
      UsageError: when it is damaged or of other classes.
    """
    places = {name: place for place, name in enumerate(label_names)}
    try:
        return {
            name: Answers(
                tuple(row["id"] for row in rows),
                np.array([places[row["label"]] for row in rows]),
                np.array(
                    [
                        [float(row[f"p_{label}"]) for label in label_names]
                        for row in rows
                    ]
                ),
            )
            for name, rows in rows_by_system(path).items()
        }
    except (KeyError, ValueError) as error:
        raise damaged(path, error) from None
