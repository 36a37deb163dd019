"""Calibration: does a system that says 80 % prove right in 80 %?

    expected calibration error = sum over bins of
        share of the utterances * |share that is right - mean confidence|

Bins are 15 of equal width over the probability of the predicted class (Guo et
al., On Calibration of Modern Neural Networks, ICML 2017). A temperature,
fitted on the validation speaker, divides the logits; it changes no prediction.
Pure NumPy and SciPy.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

NUM_BINS = 15
# Of the temperature; at its ends the validation speaker says little about it.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
# Below this, a probability counts as this: its logarithm must be finite.
_SMALLEST = 1e-7


def calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS
) -> float:
    """Expected calibration error.

    Args:
      probabilities: (n, K).
      labels: (n,) true classes.
      num_bins: of equal width; a confidence on an edge belongs to the lower
        bin.

    Returns:
      From 0 to 1; NaN without utterances.
    """
    return _error_of(reliability(probabilities, labels, num_bins))


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS
) -> list[dict]:
    """What each bin of confidence holds, the least confident first.

    Returns:
      For each bin `num_examples`, mean `confidence` and `accuracy` (None in an
      empty bin).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # (0, 1/15], (1/15, 2/15], ...
    places = np.ceil(confidence * num_bins).astype(int) - 1
    places = np.clip(places, 0, num_bins - 1)
    bins = []
    for place in range(num_bins):
        inside = places == place
        count = int(inside.sum())
        bins.append(
            {
                "num_examples": count,
                "confidence": float(confidence[inside].mean())
                if count
                else None,
                "accuracy": float(right[inside].mean()) if count else None,
            }
        )
    return bins


def apply_temperature(
    probabilities: np.ndarray, temperature: float
) -> np.ndarray:
    """(n, K) probabilities of the logits divided by the temperature."""
    return softmax(_logits(probabilities) / temperature, axis=1)


def negative_log_likelihood(
    probabilities: np.ndarray, labels: np.ndarray
) -> float:
    """Mean over the utterances of -log of the true class' probability."""
    return float(-_logits(probabilities)[np.arange(len(labels)), labels].mean())


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest negative log likelihood.

    That is convex in 1 / temperature, so it has one minimum.

    Args:
      probabilities: (n, K) of utterances that neither trained the system nor
        test it.
      labels: (n,) their classes.

    Returns:
      From 0.05 to 20; an end of that range where the likelihood has no
      maximum within, as when every utterance is right.

    Raises:
      ValueError: without utterances.
    """
    if not len(labels):
        raise ValueError("a temperature needs utterances. Received: none")
    found = minimize_scalar(
        lambda log_temperature: negative_log_likelihood(
            apply_temperature(probabilities, np.exp(log_temperature)), labels
        ),
        bounds=np.log([LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE]),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def describe_calibration(
    probabilities: np.ndarray,
    labels: np.ndarray,
    validation_probabilities: np.ndarray,
    validation_labels: np.ndarray,
) -> dict:
    """Calibration on a test, before and after a temperature.

    Args:
      probabilities: (n, K) of the test utterances.
      labels: (n,) their classes.
      validation_probabilities: (m, K) of the validation speaker's.
      validation_labels: (m,) their classes.

    Returns:
      `temperature`, and before and with it (`..._after`) the expected
      calibration error `ece`, the negative log likelihood `nll` and the
      `bins` of `reliability`.
    """
    temperature = fit_temperature(validation_probabilities, validation_labels)
    after = apply_temperature(probabilities, temperature)
    described: dict = {"temperature": temperature}
    for ending, values in (("", probabilities), ("_after", after)):
        bins = reliability(values, labels)
        described |= {
            f"ece{ending}": _error_of(bins),
            f"nll{ending}": negative_log_likelihood(values, labels),
            f"bins{ending}": bins,
        }
    return described


def pool_calibrations(calibrations: Sequence[Mapping]) -> dict:
    """Several tests' calibrations, as if all their answers were one test's.

    Args:
      calibrations: from `describe_calibration`, each with its temperature.

    Returns:
      The same keys, but `temperatures`, one a test.
    """
    pooled: dict = {"temperatures": [c["temperature"] for c in calibrations]}
    for ending in ("", "_after"):
        bins = [
            _merge(of_place)
            for of_place in zip(
                *(c[f"bins{ending}"] for c in calibrations), strict=True
            )
        ]
        sizes = [_count(c[f"bins{ending}"]) for c in calibrations]
        pooled |= {
            f"ece{ending}": _error_of(bins),
            f"nll{ending}": float(
                np.average(
                    [c[f"nll{ending}"] for c in calibrations], weights=sizes
                )
            ),
            f"bins{ending}": bins,
        }
    return pooled


def _error_of(bins: Sequence[Mapping]) -> float:
    total = _count(bins)
    return (
        sum(
            abs(each["accuracy"] - each["confidence"]) * each["num_examples"]
            for each in bins
            if each["num_examples"]
        )
        / total
        if total
        else float("nan")
    )


def _count(bins: Sequence[Mapping]) -> int:
    return sum(each["num_examples"] for each in bins)


def _merge(bins: Sequence[Mapping]) -> dict:
    """One bin of several tests."""
    count = _count(bins)
    full = [each for each in bins if each["num_examples"]]
    return {
        "num_examples": count,
        **{
            key: sum(each[key] * each["num_examples"] for each in full) / count
            if count
            else None
            for key in ("confidence", "accuracy")
        },
    }


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, _SMALLEST))
