"""What a search is worth, said in plain sentences. Pure Python.

Every judgement looks at a few numbers and a threshold that stands beside it;
it says the number either way, and whether it is a reason for concern.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.search_space.edges import OPERATION_NAMES
from tfrecords_builder.files import read_json, write_json

WATCH_NAME = "watch.json"

# Of the normal cell's edges. An operation of seven is a skip connection: a
# random cell of eight edges holds four or more once in fifty times.
_COLLAPSE_SHARE = 1 / 2
# Of the normal cell's edges. Three operations of seven have no weights: in a
# random cell they hold six or more of eight edges once in fourteen times.
_WEIGHTLESS_SHARE = 3 / 4
_WEIGHTLESS = ("max_pool_3x3", "avg_pool_3x3", "skip_connect")
# Of the edges.
_NONE_SHARE = 1 / 2
# Times an equal share of an edge's weight.
_NEARLY_EQUAL = 1.5
# DARTS+ (Liang et al. 2019) calls a ranking stable after ten epochs.
_STABLE_EPOCHS = 10
# UA, search network less derived network.
_GAP = 0.1
# Zela et al. 2020, section 4: the eigenvalue of five epochs before is less
# than .75 of the present one, both averaged over five epochs.
_EIGENVALUE_RATIO = 0.75
_EIGENVALUE_EPOCHS = 5


@dataclass(frozen=True)
class WatchNumbers:
    """What is known when a search has ended.

    Attributes:
      epochs: of the search that were run.
      alpha_steps: steps that moved alpha.
      alpha_learning_rate: Adam's.
      spread: distance of an edge's logits, see `alpha_spread`.
      chance_spread: the same had chance alone moved them.
      strongest_weight: mean share of an edge's strongest operation.
      counts: of either derived cell, edges that hold each operation.
      none_strongest: share of the edges on which `none` is strongest.
      stable_epochs: for how many epochs the cells have been what they are.
      search_ua: on the validation speaker, of the search network at its end.
      inherited_ua: the same of the derived network with inherited weights;
        None when it has none.
      retrained_ua: the same of the best epoch of the retrained network; None
        before there is one.
      eigenvalues: dominant one of the alpha Hessian after every epoch; empty
        when they were not computed.
      stopped: why the search ended before its last epoch; empty if not.
      alpha_movement: mean change of a logit; None, as the next, in files of
        before it was noted.
      alpha_entropy: mean entropy of an edge's operation weights, in nats.
    """

    epochs: int
    alpha_steps: int
    alpha_learning_rate: float
    spread: float
    chance_spread: float
    strongest_weight: float
    counts: Mapping[str, Mapping[str, int]]
    none_strongest: float
    stable_epochs: int
    search_ua: float
    inherited_ua: float | None = None
    retrained_ua: float | None = None
    eigenvalues: Sequence[float] = ()
    stopped: str = ""
    alpha_movement: float | None = None
    alpha_entropy: float | None = None

    @property
    def derivation_gap(self) -> float | None:
        """UA that is lost where a cell keeps one operation an edge."""
        if self.inherited_ua is None:
            return None
        return self.search_ua - self.inherited_ua


@dataclass(frozen=True)
class Judgement:
    """A sentence, and whether it is a reason for concern."""

    concern: bool
    sentence: str


def judge(numbers: WatchNumbers) -> list[Judgement]:
    """Every judgement that the numbers allow."""
    found = [
        _stop(numbers),
        _movement(numbers),
        _nearly_equal(numbers),
        _skips(numbers.counts["normal"]),
        _weightless(numbers.counts["normal"]),
        _none(numbers),
        _stability(numbers),
        _gap(numbers),
        _eigenvalue(numbers),
    ]
    return [judgement for judgement in found if judgement is not None]


def to_text(judgements: Sequence[Judgement]) -> str:
    """A line a judgement; an exclamation mark before what gives concern."""
    return "\n".join(
        f"{'!' if judgement.concern else ' '} {judgement.sentence}"
        for judgement in judgements
    )


def save_watch(folder: Path, numbers: WatchNumbers) -> list[Judgement]:
    """Writes `watch.json`: the numbers and the judgements; returns these."""
    judgements = judge(numbers)
    write_json(
        folder / WATCH_NAME,
        {
            "numbers": dataclasses.asdict(numbers),
            "judgements": [dataclasses.asdict(j) for j in judgements],
        },
    )
    return judgements


def add_retrained(folder: Path, validation_ua: float) -> None:
    """Judges again, now that the found cells have been retrained."""
    path = folder / WATCH_NAME
    if path.is_file():
        numbers = WatchNumbers(**read_json(path)["numbers"])
        save_watch(
            folder, dataclasses.replace(numbers, retrained_ua=validation_ua)
        )


def _stop(numbers: WatchNumbers) -> Judgement | None:
    return Judgement(False, numbers.stopped) if numbers.stopped else None


def _movement(numbers: WatchNumbers) -> Judgement:
    ratio = numbers.spread / numbers.chance_spread
    measured = (
        f"the operations of an edge lie {numbers.spread:.2g} apart, "
        f"{ratio:.1f} times as far as {numbers.alpha_steps} steps of pure "
        f"chance would take them ({numbers.chance_spread:.2g})"
    )
    if numbers.alpha_movement is not None:
        share = numbers.alpha_entropy / math.log(len(OPERATION_NAMES))
        measured = (
            f"they moved by {numbers.alpha_movement:.2g} on average; the "
            f"weights have {share:.1%} of the greatest entropy; {measured}"
        )
    if ratio < 2:
        return Judgement(
            True,
            "The alphas moved too little to rank the operations: this cell "
            f"is close to a random one ({measured}; ranked from twice).",
        )
    return Judgement(False, f"The alphas rank the operations: {measured}.")


def _nearly_equal(numbers: WatchNumbers) -> Judgement:
    equal = 1 / len(OPERATION_NAMES)
    measured = (
        "the strongest operation of an edge holds "
        f"{numbers.strongest_weight:.1%} of its weight, an equal share is "
        f"{equal:.1%}"
    )
    if numbers.strongest_weight < _NEARLY_EQUAL * equal:
        farthest = numbers.alpha_learning_rate * numbers.alpha_steps
        return Judgement(
            True,
            f"The operations still weigh nearly the same: {measured}. An "
            f"alpha could move by at most {farthest:.2g} "
            f"({numbers.alpha_steps} steps of {numbers.alpha_learning_rate:g})"
            "; believe this cell only where it beats the random one.",
        )
    return Judgement(False, f"The operations are told apart: {measured}.")


def _skips(counts: Mapping[str, int]) -> Judgement:
    # The reduction cell is not judged: published ones are full of pooling,
    # and its skip connections are convolutions where they halve.
    edges, skips = sum(counts.values()), counts["skip_connect"]
    sentence = (
        f"Skip connections hold {skips} of the {edges} edges of the normal cell"
    )
    if skips >= _COLLAPSE_SHARE * edges:
        return Judgement(True, f"{sentence}: collapse (from half of them).")
    return Judgement(False, f"{sentence}.")


def _weightless(counts: Mapping[str, int]) -> Judgement | None:
    edges = sum(counts.values())
    held = sum(counts[name] for name in _WEIGHTLESS)
    if held < _WEIGHTLESS_SHARE * edges:
        return None
    return Judgement(
        True,
        f"Operations without weights (pooling, skip) hold {held} of the "
        f"{edges} edges of the normal cell: it can learn little (from three "
        "quarters of them).",
    )


def _none(numbers: WatchNumbers) -> Judgement:
    sentence = (
        f"`none` has the largest weight on {numbers.none_strongest:.0%} of "
        "the edges"
    )
    if numbers.none_strongest > _NONE_SHARE:
        return Judgement(
            True,
            f"{sentence} (more than half): the derived cell keeps edges that "
            "the search would rather have cut.",
        )
    return Judgement(False, f"{sentence}.")


def _stability(numbers: WatchNumbers) -> Judgement:
    epochs = _epochs(numbers.stable_epochs)
    if numbers.stable_epochs < min(_STABLE_EPOCHS, numbers.epochs):
        return Judgement(
            True,
            "The cells were still changing: they have been what they are for "
            f"{epochs} (settled from {_STABLE_EPOCHS}).",
        )
    return Judgement(
        False, f"The cells have been what they are for the last {epochs}."
    )


def _gap(numbers: WatchNumbers) -> Judgement:
    search = f"The search network has UA {numbers.search_ua:.1%}"
    where = "on the validation speaker at its end"
    retrained = (
        ""
        if numbers.retrained_ua is None
        else f"; retrained, its best epoch has {numbers.retrained_ua:.1%}"
    )
    gap = numbers.derivation_gap
    if gap is None:
        return Judgement(
            False,
            f"{search} {where}; a derived network cannot inherit its "
            f"weights{retrained}.",
        )
    sentence = (
        f"{search} {where}, the derived one with the weights it inherits "
        f"{numbers.inherited_ua:.1%}{retrained}"
    )
    if gap >= _GAP:
        return Judgement(
            True,
            f"{sentence}. Cutting the other operations costs {100 * gap:.0f} "
            f"points (a gap from {100 * _GAP:.0f}): the search network's "
            "accuracy says little about these cells.",
        )
    return Judgement(False, f"{sentence}.")


def _eigenvalue(numbers: WatchNumbers) -> Judgement | None:
    values, width = numbers.eigenvalues, _EIGENVALUE_EPOCHS
    if not values:
        return None
    name = "The dominant eigenvalue of the alpha Hessian"
    if len(values) < 2 * width:
        return Judgement(
            False,
            f"{name} is {values[-1]:.3g}; whether it rises is judged from "
            f"{2 * width} epochs.",
        )
    now = math.fsum(values[-width:]) / width
    before = math.fsum(values[-2 * width : -width]) / width
    sentence = (
        f"{before:.3g} to {now:.3g} within {width} epochs (means of {width})"
    )
    if now > 0 and before / now < _EIGENVALUE_RATIO:
        return Judgement(
            True,
            f"{name} rises, from {sentence}: the search runs into a sharp "
            "minimum, whose cells do worse when derived (Zela et al. 2020; "
            "from a third more).",
        )
    return Judgement(False, f"{name} does not rise: {sentence}.")


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"
