"""Paired tests: is one system better than another on the same utterances?

    WA   McNemar's exact test. Null: of the utterances that one system alone
         gets right, either has half.
    UA   swapping. Null: on every utterance (or for every speaker as a whole)
         the two systems' answers could as well have been swapped.

Utterances of a speaker are not independent; the test by speakers does not
assume it, but has little power: of S speakers it cannot give a p below
2 / 2^S. Pure NumPy and SciPy.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest

from emotion_nas_tf.evaluation import statistics

# Up to so many swaps all patterns are counted, 2^13 = 8192; beyond, drawn.
_MOST_ENUMERATED = 13
_METRICS = ("ua", "wa")


def compare(
    labels: Sequence[int],
    first: Sequence[int],
    second: Sequence[int],
    speakers: Sequence[str],
    num_classes: int,
    resamples: int = statistics.RESAMPLES,
    seed: int = statistics.SEED,
) -> dict:
    """Compares two systems' predictions on the same utterances.

    Args:
      labels: (n,) true classes.
      first: (n,) one system's predictions.
      second: (n,) the other's.
      speakers: (n,) who speaks.
      num_classes: K.
      resamples: bootstrap samples, and swaps drawn.
      seed: of both.

    Returns:
      `num_examples`, `num_speakers`; `ua` and `wa`: the `difference`, first
      minus second, and the 95 % `intervals` of it over `speakers` (None for
      one) and over `utterances`; `mcnemar` with `only_first_right`,
      `only_second_right` and `p`; `swapping` with the p-values of UA over
      `utterances` and over `speakers`, and `smallest_p`, the lowest that so
      many speakers could give.

    Raises:
      ValueError: when the vectors differ in length or are empty.
    """
    labels, first, second = (
        np.asarray(values, np.int64) for values in (labels, first, second)
    )
    names, who = np.unique(np.asarray(speakers, str), return_inverse=True)
    lengths = {len(v) for v in (labels, first, second, who)}
    if len(lengths) != 1 or not len(labels):
        raise ValueError(
            "labels, predictions and speakers must be of one length, not 0. "
            f"Received: {sorted(lengths)}"
        )
    right = (first == labels).astype(float) - (second == labels)
    counts = np.bincount(labels, minlength=num_classes)
    # An utterance's part of the difference of UA.
    parts = right / (counts[labels] * np.count_nonzero(counts))
    generator = np.random.default_rng(seed)
    cells = (who, labels, first, second, num_classes)
    differences = _differences(cells, resamples, generator)
    return {
        "num_examples": len(labels),
        "num_speakers": len(names),
        **{
            name: {
                "difference": float(
                    parts.sum() if name == "ua" else right.mean()
                ),
                "intervals": {
                    unit: values and values[name]
                    for unit, values in differences.items()
                },
            }
            for name in _METRICS
        },
        "mcnemar": mcnemar(first == labels, second == labels),
        "swapping": {
            "utterances": swapping_p(parts, resamples, seed),
            "speakers": swapping_p(
                np.bincount(who, parts, len(names)), resamples, seed
            ),
            "smallest_p": min(1.0, 2 / 2 ** len(names)),
        },
    }


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> dict:
    """McNemar's exact two-sided test of two systems' accuracy.

    Args:
      first_right: (n,) whether one system is right.
      second_right: (n,) whether the other is.

    Returns:
      `only_first_right`, `only_second_right` and `p`; 1 when they are right
      on the same utterances.
    """
    only_first = int(np.sum(first_right & ~second_right))
    only_second = int(np.sum(second_right & ~first_right))
    total = only_first + only_second
    return {
        "only_first_right": only_first,
        "only_second_right": only_second,
        "p": float(binomtest(only_first, total).pvalue) if total else 1.0,
    }


def swapping_p(
    parts: np.ndarray,
    resamples: int = statistics.RESAMPLES,
    seed: int = statistics.SEED,
) -> float:
    """Two-sided p of a sum of parts whose signs could as well be the others'.

    Args:
      parts: (m,) each unit's part of the difference of two systems.
      resamples: patterns of signs drawn when there are too many to count all.
      seed: of the draws.

    Returns:
      The share of patterns with a difference as great, the one found counted
      among those drawn.
    """
    # Zero has no sign, up to the last bit of a sum.
    parts = parts[np.abs(parts) > 1e-12]
    found = abs(parts.sum()) - 1e-12
    if len(parts) <= _MOST_ENUMERATED:
        signs = np.array(list(itertools.product((-1, 1), repeat=len(parts))))
        return float(np.mean(np.abs(signs @ parts) >= found))
    generator = np.random.default_rng(seed)
    signs = generator.integers(0, 2, (resamples, len(parts)), np.int8) * 2 - 1
    as_great = np.count_nonzero(np.abs(signs @ parts) >= found)
    return float((1 + as_great) / (1 + resamples))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment (1979) for so many tests, in the order given."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    raised = np.maximum.accumulate(np.asarray(p_values)[order] * factors)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(raised, 1)
    return adjusted.tolist()


def _differences(
    cells: tuple, resamples: int, generator: np.random.Generator
) -> dict[str, dict | None]:
    """95 % intervals of the differences, over speakers and utterances."""
    who, labels, first, second, num_classes = cells
    shape = (who.max() + 1, num_classes, num_classes)
    of_both = []
    for predictions in (first, second):
        matrices = np.zeros(shape, np.int64)
        np.add.at(matrices, (who, labels, predictions), 1)
        of_both.append(matrices)
    found = {"speakers": None, "utterances": None}
    if shape[0] > 1:
        draws = statistics.draw_speakers(shape[0], resamples, generator)
        found["speakers"] = _intervals(
            *(np.tensordot(draws, matrices, axes=1) for matrices in of_both)
        )
    # An utterance matters by its truth and its two answers alone.
    kinds, counts = np.unique(
        np.stack([labels, first, second], axis=1), axis=0, return_counts=True
    )
    drawn = generator.multinomial(
        len(labels), counts / len(labels), size=resamples
    )
    of_both = []
    for column in (1, 2):
        flat = np.zeros((len(kinds), num_classes**2), np.int64)
        cell = kinds[:, 0] * num_classes + kinds[:, column]
        flat[np.arange(len(kinds)), cell] = 1
        of_both.append((drawn @ flat).reshape(-1, *shape[1:]))
    found["utterances"] = _intervals(*of_both)
    return found


def _intervals(first: np.ndarray, second: np.ndarray) -> dict:
    return {
        name: statistics.interval(
            statistics.METRICS[name](first) - statistics.METRICS[name](second)
        )
        for name in _METRICS
    }
