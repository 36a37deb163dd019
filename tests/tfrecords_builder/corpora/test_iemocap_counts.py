import dataclasses
import re

from tfrecords_builder.corpora.iemocap_counts import (
    IMPROVISED,
    SCRIPTED,
    compare_with_published,
)
from tfrecords_builder.utterance import PAPER_EMOTIONS, Utterance


def published_utterances():
    """The published improvised corpus, without its audio."""
    template = Utterance("", None, "", "", "")
    return [
        dataclasses.replace(
            template,
            id=f"{speaker}_impro01_{speaker[-1]}{number:03}",
            label=label,
            speaker=speaker,
        )
        for speaker, counts in IMPROVISED.items()
        for label, count in counts.items()
        for number in range(count)
    ]


def compare(utterances, labels=PAPER_EMOTIONS, merge=False, scripts=False):
    lines = compare_with_published(
        utterances, labels, merge_excited=merge, scripts=scripts
    )
    return list(lines)


def test_published_counts_sum_to_the_published_totals():
    totals = [
        sum(counts[label] for counts in IMPROVISED.values())
        for label in (*PAPER_EMOTIONS, "excited")
    ]
    assert totals == [1099, 289, 284, 608, 663]
    # 5531: both halves, excited as happy.
    assert sum(totals) + sum(SCRIPTED.values()) == 5531


def test_a_complete_corpus_matches_the_published_counts():
    utterances = published_utterances()
    four = [u for u in utterances if u.label != "excited"]
    lines = compare(four)
    assert lines[-1] == "All counts are the published ones."
    assert re.fullmatch(
        r"improvised +1099/1099 +289/289 +284/284 +608/608 +2280/2280",
        lines[-2],
    )
    merged = [
        dataclasses.replace(u, label="happy") if u.label == "excited" else u
        for u in utterances
    ]
    lines = compare(merged, merge=True)
    assert lines[-1] == "All counts are the published ones."
    assert lines[-2].endswith("2943/2943")


def test_what_differs_is_said():
    four = [u for u in published_utterances() if u.label != "excited"]
    del four[0]
    lines = compare(four)
    assert lines[-1] == (
        "2 counts differ from the published ones: Ses01F neutral 118 instead "
        "of 119, improvised neutral 1098 instead of 1099."
    )
    lines = compare(four, (*PAPER_EMOTIONS, "fearful"), scripts=True)
    assert re.fullmatch(
        r"scripted +0/609 +0/814 +0/311 +0/476 +0/- +0/-", lines[-2]
    )
