"""A test's answers as `predictions.csv` keeps them. Pure NumPy."""

from collections.abc import Mapping
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


def read_answers(path: Path, label_names: list[str]) -> Mapping[str, Answers]:
    """Every system's answers, by name; none without the file.

    Raises:
      UsageError: when it is damaged or of other classes.
    """
    of_system: dict[str, list[dict[str, str]]] = {}
    for row in read_rows(path):
        of_system.setdefault(row.get("system", ""), []).append(row)
    try:
        return {
            name: Answers(
                tuple(row["id"] for row in rows),
                np.array([label_names.index(row["label"]) for row in rows]),
                np.array(
                    [
                        [float(row[f"p_{label}"]) for label in label_names]
                        for row in rows
                    ]
                ),
            )
            for name, rows in of_system.items()
        }
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(path, error) from None
