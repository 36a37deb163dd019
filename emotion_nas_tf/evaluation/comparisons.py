"""Comparisons: which systems of a run are compared, and how that came out.

    first        second        UA      95 % over speakers  p
    retrained    random_cell   + 3.1   -1.2 .. 7.4         0.21

Each pair answers a question of the paper's: does searching beat drawing, does
fusion beat its parts. Pure: no TensorFlow.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emotion_nas_tf.evaluation import paired_tests
from emotion_nas_tf.evaluation.answers_on_disk import rows_by_system
from emotion_nas_tf.run_directory import FoldDirectory
from tfrecords_builder.errors import UsageError

# The first is the one that ought to be better.
PAIRS = (
    ("retrained", "random_cell"),
    ("retrained", "cnn"),
    ("retrained", "opensmile_svm"),
    ("recipe", "random_recipe"),
    ("recipe", "lstm"),
    ("recipe", "gru"),
    ("recipe", "opensmile_svm"),
    ("fusion", "retrained"),
    ("fusion", "recipe"),
    # What the perceptron gains without a second stream is no gain from fusion.
    ("fusion", "perceptron_spectrogram"),
    ("fusion", "perceptron_recurrent"),
    ("fusion", "fusion_mean"),
    ("fusion", "fusion_product"),
    ("fusion", "cnn"),
    ("fusion", "opensmile_svm"),
    # Fitted on nothing, so that no validation speaker can mislead it.
    ("fusion_mean", "opensmile_svm"),
)
_ANSWERS = ("label", "predicted")


def compare_systems(
    tests: Sequence[Mapping], directories: Sequence[FoldDirectory]
) -> list[dict]:
    """Compares the pairs that there are, on the tests that have both.

    Args:
      tests: the content of every `metrics.json`.
      directories: where each was read.

    Returns:
      For each pair `first`, `second`, `num_tests`, the numbers of
      `paired_tests.compare` and, in `swapping`, `utterances_holm`: the
      p-value raised because so many pairs were tested.

    Raises:
      UsageError: when predictions are missing or do not fit the metrics.
    """
    answers: dict[Path, dict] = {}
    found = []
    for pair in PAIRS:
        shared = [
            (test, directory)
            for test, directory in zip(tests, directories, strict=True)
            if set(pair) <= set(test["systems"])
        ]
        if not shared:
            continue
        columns = ([], [], [], [])
        for test, directory in shared:
            if directory.path not in answers:
                answers[directory.path] = _read_predictions(directory, test)
            of_test = answers[directory.path]
            labels, first = of_test[pair[0]]
            _, second = of_test[pair[1]]
            speakers = [test["test_speaker"]] * len(labels)
            for column, values in zip(
                columns, (labels, first, second, speakers), strict=True
            ):
                column.extend(values)
        found.append(
            {
                "first": pair[0],
                "second": pair[1],
                "num_tests": len(shared),
                **paired_tests.compare(*columns, len(tests[0]["label_names"])),
            }
        )
    raised = paired_tests.holm([c["swapping"]["utterances"] for c in found])
    for comparison, p in zip(found, raised, strict=True):
        comparison["swapping"]["utterances_holm"] = p
    return found


def _read_predictions(
    directory: FoldDirectory, test: Mapping
) -> dict[str, tuple[list[int], list[int]]]:
    """Classes and predictions of every system, on the same utterances."""
    path = directory.predictions
    again = f"Evaluate fold {test['fold']} again."
    if not path.is_file():
        raise UsageError(f"{path} is missing, {directory.metrics} not. {again}")
    places = {name: place for place, name in enumerate(test["label_names"])}
    rows = rows_by_system(path)
    if not set(test["systems"]) <= set(rows):
        raise UsageError(
            f"{path} lacks systems that {directory.metrics} has. {again}"
        )
    utterances = {tuple(row["id"] for row in of) for of in rows.values()}
    classes = {
        row[column] for of in rows.values() for row in of for column in _ANSWERS
    }
    if len(utterances) != 1 or not classes <= set(places):
        raise UsageError(
            f"{path} holds systems' answers on different utterances, or "
            f"classes other than {', '.join(places)}. {again}"
        )
    return {
        system: tuple(
            [places[row[column]] for row in of] for column in _ANSWERS
        )
        for system, of in rows.items()
    }
