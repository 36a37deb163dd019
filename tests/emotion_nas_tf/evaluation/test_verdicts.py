"""The sentences on what comparisons show: hand-made cases and simulation."""

import numpy as np
import pytest

from emotion_nas_tf.evaluation import paired_tests
from emotion_nas_tf.evaluation.verdicts import verdicts


def _comparison(
    first="retrained",
    second="random_cell",
    difference=0.031,
    p=0.21,
    num_speakers=10,
):
    return {
        "first": first,
        "second": second,
        "num_speakers": num_speakers,
        "ua": {
            "difference": difference,
            "intervals": {"speakers": [-0.012, 0.074]},
        },
        "swapping": {
            # Over utterances always convincing: it must not matter.
            "utterances": 0.0001,
            "utterances_holm": 0.0001,
            "speakers": p,
            "smallest_p": 2 / 2**num_speakers,
        },
    }


def test_says_that_chance_explains_a_difference():
    sentence, note = verdicts([_comparison()])
    assert sentence == (
        "The found cell is 3.1 points ahead of the drawn one (95 % over "
        "speakers -1.2 to 7.4, p .21): no evidence that searching pays."
    )
    assert note.startswith("p: ")
    assert "Holm" not in note


@pytest.mark.parametrize(
    ("difference", "p", "expected"),
    [
        (0.05, 0.004, "p .004): evidence that searching pays."),
        (-0.05, 0.004, "5.0 points behind the drawn one (95 %"),
        (-0.05, 0.004, "p .004): evidence of the contrary."),
        (0.05, 0.051, "p .051): no evidence that searching pays."),
        (0.0, 1.0, "The found cell is as good as the drawn one (95 %"),
        (0.05, 0.0002, "p below .001): evidence that"),
    ],
)
def test_says_on_which_side(difference, p, expected):
    assert expected in verdicts([_comparison(difference=difference, p=p)])[0]


@pytest.mark.parametrize(
    ("num_speakers", "few"), [(1, "one speaker is"), (5, "5 speakers are")]
)
def test_few_speakers_cannot_decide(num_speakers, few):
    # 2 / 2^5 is above .05, whatever the utterances say.
    assert verdicts([_comparison(p=0.0625, num_speakers=num_speakers)]) == [
        "The found cell is 3.1 points ahead of the drawn one: "
        f"{few} too few to decide whether searching pays."
    ]


def test_six_speakers_decide_one_question_and_not_two():
    one = _comparison(p=2 / 2**6, num_speakers=6)
    assert "p .031): evidence that searching pays" in verdicts([one])[0]
    # Holm's rule makes of it .0625 at best.
    two = _comparison("recipe", "random_recipe", p=2 / 2**6, num_speakers=6)
    assert [s.split(":")[1] for s in verdicts([one, two])] == [
        " 6 speakers are too few to decide whether searching pays."
    ] * 2


def test_p_values_are_raised_for_the_questions_shown():
    sentences = verdicts(
        [
            _comparison(p=0.03),
            _comparison("recipe", "random_recipe", p=0.02),
            # Not shown, so not counted.
            _comparison("retrained", "cnn", p=0.01),
        ]
    )
    # Smallest times two; the other no smaller.
    assert "found cell is" in sentences[0]
    assert "p .040): evidence" in sentences[0]
    assert "the drawn recurrent one" in sentences[1]
    assert "p .040): evidence" in sentences[1]
    assert "Holm's rule for the 2 of them" in sentences[2]
    assert len(sentences) == 3


def test_fusion_is_held_against_the_better_stream():
    sentences = verdicts(
        [
            _comparison("fusion", "retrained", 0.09, 0.5),
            _comparison("fusion", "recipe", -0.02, 0.5),
            _comparison("retrained", "opensmile_svm", 0.4, 0.5),
            _comparison("fusion", "opensmile_svm", -0.105, 0.004),
        ]
    )
    assert sentences[0].startswith(
        "The fusion of both streams is 2.0 points behind the better stream, "
        "the found recurrent cell (95 % over"
    )
    assert sentences[0].endswith("no evidence that fusing pays.")
    # The run's result alone, not its parts.
    assert sentences[1].startswith(
        "The fusion of both streams is 10.5 points behind openSMILE + linear "
        "SVM"
    )
    assert sentences[1].endswith("p .008): evidence of the contrary.")
    assert len(sentences) == 3


def test_nothing_compared_nothing_said():
    assert verdicts([]) == []
    assert verdicts([_comparison("retrained", "cnn")]) == []


def test_says_that_a_run_did_not_ask_whether_searching_pays():
    systems = ["retrained", "recipe", "lstm"]
    assert verdicts([], systems) == [
        "Search against random: not in this run, which has no random cell and "
        "no random recurrent cell to compare with."
    ]
    answered, unanswered, _ = verdicts([_comparison()], systems)
    assert "drawn one" in answered
    assert "no random recurrent cell to compare" in unanswered
    assert verdicts([], ["lstm", "majority"]) == []


def test_equal_systems_are_rarely_called_different():
    """Two systems of equal accuracy, 6 points of spread between tests."""
    generator = np.random.default_rng(0)
    speakers = np.repeat([f"{i}" for i in range(10)], 50)
    labels = np.tile([0, 1], 250)
    alarms = naive = 0
    for _ in range(200):
        answers = []
        for _ in range(2):
            accuracy = np.repeat(generator.normal(0.75, 0.06, 10), 50)
            is_right = generator.random(500) < accuracy
            answers.append(np.where(is_right, labels, 1 - labels))
        compared = paired_tests.compare(
            labels, *answers, speakers, num_classes=2, resamples=100
        )
        naive += compared["swapping"]["utterances"] < 0.05
        pair = {"first": "retrained", "second": "random_cell"}
        alarms += "evidence" in (
            verdicts([pair | compared])[0].replace("no evidence", "")
        )
    # The nominal 5 % and two and a half standard deviations; the other test
    # shows that the simulation is of what went wrong.
    assert alarms / 200 < 0.09
    assert naive / 200 > 0.12
