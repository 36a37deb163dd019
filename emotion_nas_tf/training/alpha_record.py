"""The alphas of every epoch: `alphas.npz`. NumPy only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.search_space.genotype import Genotype
from tfrecords_builder.files import replacing

ALPHAS_NAME = "alphas.npz"


@dataclass(frozen=True)
class AlphaRecord:
    """What a search did to alpha.

    Attributes:
      initial: (2, edges, 8) logits before it; normal cell first.
      alphas: (epochs, 2, edges, 8) logits after every epoch.
      strengths: the same, what the operations are ranked by.
    """

    initial: np.ndarray
    alphas: np.ndarray
    strengths: np.ndarray

    def save(self, folder: Path) -> None:
        """Writes `alphas.npz`, whole or not at all."""
        path = folder / ALPHAS_NAME
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(self))


def load_alphas(folder: Path) -> AlphaRecord:
    """Reads `alphas.npz`."""
    with np.load(folder / ALPHAS_NAME, allow_pickle=False) as file:
        return AlphaRecord(**file)


def add_epoch(
    folder: Path,
    epoch: int,
    logits: np.ndarray,
    strengths: np.ndarray,
    initial: np.ndarray,
) -> None:
    """Adds an epoch; those from it on, left by a killed run, are replaced.

    Args:
      folder: of `alphas.npz`.
      epoch: counted from 1.
      logits: (2, edges, 8) after it.
      strengths: the same, as ranked.
      initial: logits before the search.
    """
    alphas, strengths = logits[None], strengths[None]
    if epoch > 1:
        before = load_alphas(folder)
        past = slice(epoch - 1)
        alphas = np.concatenate([before.alphas[past], alphas])
        strengths = np.concatenate([before.strengths[past], strengths])
    AlphaRecord(initial, alphas, strengths).save(folder)


def stable_epochs(genotypes: list[Genotype]) -> int:
    """For how many epochs, the last one among them, the cells are the same."""
    count = 0
    for genotype in reversed(genotypes):
        if genotype != genotypes[-1]:
            break
        count += 1
    return count
