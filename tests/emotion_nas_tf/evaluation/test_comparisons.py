"""Which pairs of systems are compared, on answers written by hand."""

import csv

import pytest

from emotion_nas_tf.evaluation.comparisons import compare_systems
from emotion_nas_tf.run_directory import RunDirectory

LABELS = ["angry", "sad"]
TRUTH = ["angry", "angry", "sad", "sad"]


def write_test(run, **answers):
    """A test's answers by system; what `metrics.json` says of it."""
    directory = run.test(2, "08")
    directory.path.mkdir(parents=True)
    with directory.predictions.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["system", "id", "speaker", "label", "predicted"])
        for system, predicted in answers.items():
            for place, row in enumerate(zip(TRUTH, predicted, strict=True)):
                writer.writerow([system, f"u{place}", "08", *row])
    test = {
        "fold": 2,
        "test_speaker": "08",
        "label_names": LABELS,
        "systems": dict.fromkeys(answers),
    }
    return [test], [directory]


def test_the_mean_of_the_streams_meets_opensmile(tmp_path):
    """Three of four against two of four; each is right where the other errs."""
    (pair,) = compare_systems(
        *write_test(
            RunDirectory(tmp_path),
            fusion_mean=["angry", "angry", "sad", "angry"],
            opensmile_svm=["sad", "angry", "angry", "sad"],
        )
    )
    assert (pair["first"], pair["second"]) == ("fusion_mean", "opensmile_svm")
    assert pair["ua"]["difference"] == pytest.approx(3 / 4 - 2 / 4)
    # Of three discordant utterances two are for the mean: 8 ways of swapping,
    # all of them at least as far from even.
    assert pair["mcnemar"]["p"] == 1


def test_systems_that_answer_no_question_together_are_not_compared(tmp_path):
    answers = {"fusion_mean": TRUTH, "gru": TRUTH}
    assert compare_systems(*write_test(RunDirectory(tmp_path), **answers)) == []
