"""What is heard as what, by hand."""

import numpy as np

from emotion_nas_tf.evaluation.confusions import (
    errors_sentence,
    matrix_rows,
    most_frequent,
)

LABELS = ["neutral", "angry", "happy"]
VALUES = {
    "confusion_matrix": [[70, 9, 0], [3, 121, 3], [2, 14, 48]],
    "recalls": {"neutral": 70 / 79, "angry": 121 / 127, "happy": 0.75},
}


def test_names_the_most_frequent_confusions():
    # 9 + 3 + 3 + 2 + 14 beside the diagonal.
    assert errors_sentence("The fusion", VALUES, LABELS) == (
        "The fusion: 31 of 270 answers are wrong. Most frequent: happy heard "
        "as angry: 14 of 64; neutral heard as angry: 9 of 79; angry heard as "
        "neutral: 3 of 127."
    )


def test_of_equal_counts_the_rarer_emotion_comes_first():
    matrix = np.array([[9, 1], [1, 2]])
    assert most_frequent(matrix) == [(1, 0), (0, 1)]
    assert most_frequent(matrix, 1) == [(1, 0)]


def test_without_an_error_none_is_named():
    values = {"confusion_matrix": [[2, 0], [0, 1]]}
    assert errors_sentence("It", values, ["a", "b"]) == (
        "It: 0 of 3 answers are wrong."
    )


def test_matrix_has_recalls_and_says_where_there_is_none():
    values = {
        "confusion_matrix": [[3, 1], [0, 0]],
        "recalls": {"a": 0.75, "b": None},
    }
    assert matrix_rows(values, ["a", "b"]) == [
        ("spoken, heard as", "a", "b", "recall"),
        ("a", "3", "1", "75.0 %"),
        ("b", "0", "0", "-"),
    ]
