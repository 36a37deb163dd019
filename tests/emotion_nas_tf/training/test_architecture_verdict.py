"""The sentences about a search, on either side of every threshold."""

import dataclasses
import json

import pytest

from emotion_nas_tf.training.architecture_verdict import (
    WatchNumbers,
    add_retrained,
    judge,
    save_watch,
    to_text,
)


def counts(**held):
    names = (
        *("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3"),
        *("sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
    )
    return {name: held.get(name, 0) for name in names}


# A search of which nothing is to be said.
GOOD = WatchNumbers(
    epochs=50,
    alpha_steps=20_000,
    alpha_learning_rate=3e-4,
    spread=0.8,
    chance_spread=0.04,
    strongest_weight=0.4,
    counts={
        "normal": counts(skip_connect=2, sep_conv_3x3=6),
        "reduction": counts(max_pool_3x3=8),
    },
    none_strongest=0.25,
    stable_epochs=12,
    search_ua=0.6,
    inherited_ua=0.55,
    alpha_movement=0.5,
    # A third less than log 8.
    alpha_entropy=1.3863,
)


def judged(**changes):
    """(concern, sentence) of all judgements, the numbers changed."""
    numbers = dataclasses.replace(GOOD, **changes)
    return [(each.concern, each.sentence) for each in judge(numbers)]


def normal(**held):
    return {**GOOD.counts, "normal": counts(**held)}


def rising(before, now):
    return [0.1] * 3 + [before] * 5 + [now] * 5


def test_a_good_search_gives_no_concern():
    assert [concern for concern, _ in judged()] == [False] * 6


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        # Twice what chance does.
        (
            {"spread": 0.0801},
            {
                **{"spread": 0.0799, "alpha_movement": 0.00241},
                "alpha_entropy": 2.0773,
            },
            "The alphas moved too little to rank the operations: this cell is "
            "close to a random one (they moved by 0.0024 on average; the "
            "weights have 99.9% of the greatest entropy; the operations of an "
            "edge lie 0.08 apart, 2.0 times as far as 20000 steps of pure "
            "chance would take them (0.04); ranked from twice).",
        ),
        # One and a half equal shares of 12.5 %.
        (
            {"strongest_weight": 0.188},
            {"strongest_weight": 0.187, "alpha_steps": 100},
            "The operations still weigh nearly the same: the strongest "
            "operation of an edge holds 18.7% of its weight, an equal share "
            "is 12.5%. An alpha could move by at most 0.03 (100 steps of "
            "0.0003); believe this cell only where it beats the random one.",
        ),
        (
            {"counts": normal(skip_connect=3, sep_conv_3x3=5)},
            {"counts": normal(skip_connect=4, sep_conv_3x3=4)},
            "Skip connections hold 4 of the 8 edges of the normal cell: "
            "collapse (from half of them).",
        ),
        (
            {"counts": normal(skip_connect=1, max_pool_3x3=4, dil_conv_3x3=3)},
            {"counts": normal(skip_connect=1, avg_pool_3x3=5, dil_conv_3x3=2)},
            "Operations without weights (pooling, skip) hold 6 of the 8 edges "
            "of the normal cell: it can learn little (from three quarters of "
            "them).",
        ),
        (
            {"none_strongest": 14 / 28},
            {"none_strongest": 15 / 28},
            "`none` has the largest weight on 54% of the edges (more than "
            "half): the derived cell keeps edges that the search would rather "
            "have cut.",
        ),
        (
            {"stable_epochs": 10},
            {"stable_epochs": 9},
            "The cells were still changing: they have been what they are for "
            "9 epochs (settled from 10).",
        ),
        # All the epochs there were.
        (
            {"stable_epochs": 3, "epochs": 3},
            {"stable_epochs": 1, "epochs": 3},
            "The cells were still changing: they have been what they are for "
            "1 epoch (settled from 10).",
        ),
        (
            {"inherited_ua": 0.51},
            {"inherited_ua": 0.4},
            "The search network has UA 60.0% on the validation speaker at its "
            "end, the derived one with the weights it inherits 40.0%. Cutting "
            "the other operations costs 20 points (a gap from 10): the search "
            "network's accuracy says little about these cells.",
        ),
        # 3 / 4 is the threshold.
        (
            {"eigenvalues": rising(0.31, 0.4)},
            {"eigenvalues": rising(0.29, 0.4)},
            "The dominant eigenvalue of the alpha Hessian rises, from 0.29 to "
            "0.4 within 5 epochs (means of 5): the search runs into a sharp "
            "minimum, whose cells do worse when derived (Zela et al. 2020; "
            "from a third more).",
        ),
    ],
)
def test_either_side_of_a_threshold(good, bad, sentence):
    assert not any(concern for concern, _ in judged(**good))
    assert [text for concern, text in judged(**bad) if concern] == [sentence]


def test_alphas_that_rank_are_said_in_the_same_numbers():
    sentence = judged()[0][1]
    assert sentence == (
        "The alphas rank the operations: they moved by 0.5 on average; the "
        "weights have 66.7% of the greatest entropy; the operations of an edge "
        "lie 0.8 apart, 20.0 times as far as 20000 steps of pure chance would "
        "take them (0.04)."
    )


def test_a_file_without_movement_and_entropy_is_judged_all_the_same(tmp_path):
    save_watch(tmp_path, GOOD)
    path = tmp_path / "watch.json"
    content = json.loads(path.read_text())
    for name in ("alpha_movement", "alpha_entropy"):
        del content["numbers"][name]
    path.write_text(json.dumps(content))
    add_retrained(tmp_path, 0.7)
    first = json.loads(path.read_text())["judgements"][0]["sentence"]
    assert first.startswith(
        "The alphas rank the operations: the operations of an edge lie 0.8 "
    )


def test_what_is_not_known_is_not_judged():
    texts = [text for _, text in judged(inherited_ua=None, eigenvalues=[0.5])]
    assert any("cannot inherit its weights." in text for text in texts)
    assert any("judged from 10 epochs" in text for text in texts)
    # Falling, or negative: no rise.
    for values in (rising(0.4, 0.2), rising(-0.1, -0.4)):
        (text,) = (t for _, t in judged(eigenvalues=values) if "Hessian" in t)
        assert "does not rise" in text


def test_file_holds_numbers_and_sentences_and_takes_the_retrained(tmp_path):
    judgements = save_watch(
        tmp_path, dataclasses.replace(GOOD, stopped="It was stopped.")
    )
    assert to_text(judgements).splitlines()[0] == "  It was stopped."
    add_retrained(tmp_path, 0.7)
    content = json.loads((tmp_path / "watch.json").read_text())
    assert content["numbers"]["retrained_ua"] == 0.7
    assert content["numbers"]["spread"] == 0.8
    assert content["judgements"][0] == {
        "concern": False,
        "sentence": "It was stopped.",
    }
    sentences = [each["sentence"] for each in content["judgements"]]
    assert any("its best epoch has 70.0%" in text for text in sentences)
    # Without a search before, e.g. with --genotype, there is none to judge.
    add_retrained(tmp_path / "elsewhere", 0.7)
