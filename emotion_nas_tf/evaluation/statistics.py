"""Statistics: how far a measured number can be trusted. Pure NumPy.

    matrices (S, K, K): a confusion matrix for each of S test speakers
        |  resample speakers whole        |  resample utterances
    95 % percentile interval          95 % percentile interval

The utterances of a speaker resemble each other: an interval over utterances
says what other sentences of the same people would give, one over speakers what
other people would. The second is the honest one, and with ten speakers still
somewhat too narrow (Davison and Hinkley, Bootstrap Methods and their
Application, 1997, section 3.8).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 10_000
SEED = 0


def unweighted_accuracy(matrices: np.ndarray) -> np.ndarray:
    """UA of many confusion matrices at once.

    As `training.metrics.unweighted_accuracy`: a class that a matrix holds no
    true example of has no recall and is left out of its mean.

    Args:
      matrices: (..., K, K) counts; rows are the truth.

    Returns:
      (...) float64; NaN for an empty matrix.
    """
    truths = matrices.sum(axis=-1)
    return _mean_where(_diagonal(matrices), truths)


def weighted_accuracy(matrices: np.ndarray) -> np.ndarray:
    """WA of many confusion matrices at once; see `unweighted_accuracy`."""
    right = _diagonal(matrices).sum(axis=-1, keepdims=True)
    return _mean_where(right, matrices.sum(axis=(-2, -1))[..., None])


def macro_f1(matrices: np.ndarray) -> np.ndarray:
    """Macro F1 of many confusion matrices at once.

    A class that is in neither truth nor predictions is left out.
    """
    seen = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    return _mean_where(2 * _diagonal(matrices), seen)


METRICS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "ua": unweighted_accuracy,
    "wa": weighted_accuracy,
    "macro_f1": macro_f1,
}


def pooled_intervals(
    matrices: np.ndarray, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict | None]:
    """Intervals of the metrics of all predictions together.

    A class that a resample holds no true example of is left out of that
    resample's UA.

    Args:
      matrices: (S, K, K) counts, one matrix a speaker.
      resamples: bootstrap samples.
      seed: of the resampling; systems measured on the same speakers meet the
        same resamples of them.

    Returns:
      `speakers` and `utterances`: `[low, high]` by metric. None over fewer
      than two speakers, or when there is no utterance.
    """
    matrices = _checked(matrices)
    generator = np.random.default_rng(seed)
    pooled = matrices.sum(axis=0)
    found = {"speakers": None, "utterances": None}
    if len(matrices) > 1 and pooled.any():
        draws = draw_speakers(len(matrices), resamples, generator)
        found["speakers"] = _intervals(np.tensordot(draws, matrices, axes=1))
    if pooled.any():
        found["utterances"] = _intervals(
            _resample(pooled, resamples, generator)
        )
    return found


def mean_intervals(
    matrices: np.ndarray, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict | None]:
    """Intervals of the mean of the speakers' metrics.

    Over utterances, every speaker's are resampled apart. Arguments and result
    as those of `pooled_intervals`.
    """
    matrices = _checked(matrices)
    matrices = matrices[matrices.sum(axis=(1, 2)) > 0]
    generator = np.random.default_rng(seed)
    found = {"speakers": None, "utterances": None}
    if len(matrices) > 1:
        draws = draw_speakers(len(matrices), resamples, generator)
        found["speakers"] = {
            name: interval(draws @ metric(matrices) / len(matrices))
            for name, metric in METRICS.items()
        }
    if len(matrices):
        drawn = [_resample(m, resamples, generator) for m in matrices]
        found["utterances"] = {
            name: interval(np.mean([metric(m) for m in drawn], axis=0))
            for name, metric in METRICS.items()
        }
    return found


def interval(values: np.ndarray) -> list[float]:
    """The middle 95 % of the values: `[low, high]`."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return [float(low), float(high)]


def spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """What several seeds, say, gave.

    Args:
      values: one a run.

    Returns:
      `num_runs`, `mean`, `standard_deviation` (with n - 1; None for one run),
      `lowest` and `highest`.

    Raises:
      ValueError: when there is no value.
    """
    if not len(values):
        raise ValueError("spread needs at least one value. Received: none")
    several = len(values) > 1
    return {
        "num_runs": len(values),
        "mean": float(np.mean(values)),
        "standard_deviation": float(np.std(values, ddof=1))
        if several
        else None,
        "lowest": float(np.min(values)),
        "highest": float(np.max(values)),
    }


def draw_speakers(
    num_speakers: int, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """How often each speaker is in each resample: (resamples, S) counts."""
    shares = np.full(num_speakers, 1 / num_speakers)
    return generator.multinomial(num_speakers, shares, size=resamples)


def _resample(
    matrix: np.ndarray, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """(resamples, K, K): as many utterances, drawn with replacement.

    An utterance matters by its cell alone, so cells are drawn.
    """
    total = matrix.sum()
    cells = generator.multinomial(total, matrix.ravel() / total, size=resamples)
    return cells.reshape(resamples, *matrix.shape)


def _intervals(resampled: np.ndarray) -> dict[str, list[float]]:
    """Of every metric, from (resamples, K, K) counts."""
    found = {}
    for name, metric in METRICS.items():
        values = metric(resampled)
        # A resample of speakers who said nothing has no metric.
        found[name] = interval(values[~np.isnan(values)])
    return found


def _checked(matrices: np.ndarray) -> np.ndarray:
    matrices = np.asarray(matrices, np.int64)
    if matrices.ndim != 3 or matrices.shape[1] != matrices.shape[2]:
        raise ValueError(
            "matrices must have the shape (speakers, K, K). Received: "
            f"{matrices.shape}"
        )
    return matrices


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _mean_where(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Mean over the last axis of parts / wholes where there is a whole."""
    there = wholes > 0
    ratios = np.where(there, parts / np.maximum(wholes, 1), 0.0)
    count = there.sum(axis=-1)
    return np.where(
        count > 0, ratios.sum(axis=-1) / np.maximum(count, 1), np.nan
    )
