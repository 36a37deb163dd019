"""Verdicts: what the comparisons of a run show and what not, in sentences.

    The found cell is 3.1 points ahead of the drawn one (95 % over speakers
    -1.2 to 7.4, p .21): no evidence that searching pays.

Judged by speakers alone. A system that is trained anew for every test is a
little better on one speaker and a little worse on another for no reason;
swapping utterance by utterance takes that for knowledge. Where accuracies
spread by 5 to 8 points between ten speakers of 50 utterances it calls equal
systems different in 10 to 19 % of all runs (simulated), swapping by speakers in
the 5 % that it should. Pure: no TensorFlow.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from emotion_nas_tf.evaluation.paired_tests import holm
from emotion_nas_tf.systems import PREFERRED, SYSTEMS

# From here on, chance as an explanation is called unlikely.
UNLIKELY = 0.05
_COMPARATOR = "opensmile_svm"
# What was found and what was drawn by lot, as the sentences call them.
_SEARCHES = {
    ("retrained", "random_cell"): ("The found cell", "the drawn one"),
    ("recipe", "random_recipe"): (
        "The found recurrent cell",
        "the drawn recurrent one",
    ),
}


@dataclass(frozen=True)
class _Question:
    """What one comparison is to answer.

    Attributes:
      comparison: one of `comparisons.compare_systems`.
      subject: its first system, in the sentence.
      other: its second.
      claim: what holds if the first is better.
    """

    comparison: Mapping
    subject: str
    other: str
    claim: str


def verdicts(
    comparisons: Sequence[Mapping], systems: Collection[str] = ()
) -> list[str]:
    """Whether searching, fusing and the whole pay, as far as was compared.

    Args:
      comparisons: those of `comparisons.compare_systems`.
      systems: that were evaluated; for a found cell without a drawn one, a
        sentence says that the run does not answer whether searching pays.

    Returns:
      A sentence for each question that the comparisons answer: search against
      drawing by lot in each stream, fusion against the better stream, the
      run's result against openSMILE. Differences are of pooled UA, p-values
      of swapping by speakers, raised by Holm's rule for the sentences that
      have one; a last sentence says so.
    """
    pairs = {(c["first"], c["second"]): c for c in comparisons}
    questions = _questions(pairs)
    smallest = [
        question.comparison["swapping"]["smallest_p"] for question in questions
    ]
    able = [
        question
        for question, p in zip(questions, smallest, strict=True)
        # So few speakers could not convince after Holm's rule either.
        if p * sum(each < UNLIKELY for each in smallest) < UNLIKELY
        and p < UNLIKELY
    ]
    raised = holm([q.comparison["swapping"]["speakers"] for q in able])
    p_values = {id(q): p for q, p in zip(able, raised, strict=True)}
    sentences = [_sentence(q, p_values.get(id(q))) for q in questions]
    sentences += _unanswered(pairs, systems)
    if able:
        for_all = (
            f", raised by Holm's rule for the {len(able)} of them"
            if len(able) > 1
            else ""
        )
        sentences.append(
            "p: how often swapping the two systems' answers speaker by speaker "
            f"gives as great a difference{for_all}."
        )
    return sentences


def _unanswered(
    pairs: Mapping[tuple[str, str], Mapping], systems: Collection[str]
) -> list[str]:
    """That search was not held against drawing by lot, where it was not."""
    lacking = [
        SYSTEMS[drawn].title
        for found, drawn in _SEARCHES
        if found in systems and (found, drawn) not in pairs
    ]
    if not lacking:
        return []
    return [
        "Search against random: not in this run, which has no "
        f"{' and no '.join(lacking)} to compare with."
    ]


def _questions(pairs: Mapping[tuple[str, str], Mapping]) -> list[_Question]:
    """Those that the pairs can answer."""
    found = []
    for pair, (subject, other) in _SEARCHES.items():
        if pair in pairs:
            found.append(
                _Question(pairs[pair], subject, other, "searching pays")
            )
    streams = [
        pairs[pair]
        for pair in (("fusion", "retrained"), ("fusion", "recipe"))
        if pair in pairs
    ]
    if streams:
        # The better stream is the one that fusion is less ahead of.
        better = min(streams, key=lambda each: each["ua"]["difference"])
        which = "the better stream, the " if len(streams) > 1 else "the "
        found.append(
            _Question(
                better,
                "The fusion of both streams",
                which + SYSTEMS[better["second"]].title,
                "fusing pays",
            )
        )
    for system in PREFERRED:
        if (system, _COMPARATOR) in pairs:
            found.append(
                _Question(
                    pairs[system, _COMPARATOR],
                    f"The {SYSTEMS[system].title}",
                    SYSTEMS[_COMPARATOR].title,
                    "it is the better one",
                )
            )
            break
    return found


def _sentence(question: _Question, p: float | None) -> str:
    """One verdict; without a p-value, that there are too few speakers."""
    comparison = question.comparison
    points = 100 * comparison["ua"]["difference"]
    where = "is as good as"
    if round(abs(points), 1):
        side = "ahead of" if points > 0 else "behind"
        where = f"is {abs(points):.1f} points {side}"
    result = f"{question.subject} {where} {question.other}"
    if p is None:
        count = comparison["num_speakers"]
        few = "one speaker is" if count == 1 else f"{count} speakers are"
        return f"{result}: {few} too few to decide whether {question.claim}."
    low, high = comparison["ua"]["intervals"]["speakers"]
    meaning = f"no evidence that {question.claim}"
    if p < UNLIKELY:
        meaning = (
            f"evidence that {question.claim}"
            if points > 0
            else "evidence of the contrary"
        )
    return (
        f"{result} (95 % over speakers {100 * low:.1f} to {100 * high:.1f}, "
        f"p {_p(p)}): {meaning}."
    )


def _p(value: float) -> str:
    """`0.21` -> `.21`; three digits where two say little."""
    if value < 0.001:
        return "below .001"
    digits = 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}".removeprefix("0")
