"""A trained linear support vector machine: standardise, compare, vote.

Pure NumPy: what training found is a few matrices in an `.npz`, and answering
needs no package that trains.
"""

import zipfile
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path

import numpy as np

from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import replacing


@dataclass(frozen=True, eq=False)
class LinearMachine:
    """One hyperplane for each pair of classes (one against one).

    Attributes:
      mean: (d,) of the training speakers' features.
      scale: (d,) their standard deviation; 1 where that is 0.
      weights: (K (K - 1) / 2, d), pairs in the order of `combinations`:
        positive for the first of the two classes.
      bias: (K (K - 1) / 2,).
      num_classes: K.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    num_classes: int

    def standardize(self, features: np.ndarray) -> np.ndarray:
        """(n, d) to mean 0 and deviation 1; a missing value is the mean."""
        standardized = (features - self.mean) / self.scale
        return np.where(np.isfinite(standardized), standardized, 0.0)

    def scores(self, features: np.ndarray) -> np.ndarray:
        """How strongly each class is preferred.

        Its votes, and less than half a vote by how clear they were: a sum of
        margins s adds s / (3 (|s| + 1)), which breaks ties and nothing else.

        Args:
          features: (n, d).

        Returns:
          (n, K) float64; the answer is the highest.
        """
        margins = self.standardize(features) @ self.weights.T + self.bias
        votes, sums = np.zeros((2, len(features), self.num_classes))
        pairs = combinations(range(self.num_classes), 2)
        for margin, (first, second) in zip(margins.T, pairs, strict=True):
            votes[:, first] += margin > 0
            votes[:, second] += margin <= 0
            sums[:, first] += margin
            sums[:, second] -= margin
        return votes + sums / (3 * (np.abs(sums) + 1))

    def save(self, path: Path) -> None:
        """Writes an `.npz`, whole or not at all."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)


def load_linear_machine(path: Path) -> LinearMachine:
    """Reads what `LinearMachine.save` wrote.

    Raises:
      WorkError: when the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {f.name: file[f.name] for f in fields(LinearMachine)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WorkError(
            f"The weights in {path} cannot be read ({error}). Remove the "
            "folder and run the program that made it again."
        ) from error
    return LinearMachine(
        **{**arrays, "num_classes": int(arrays["num_classes"])}
    )
