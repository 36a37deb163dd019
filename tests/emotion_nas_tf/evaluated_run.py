"""A run on disk as evaluation leaves it, for tests of what reads it."""

import csv
import html
import json
import re

import numpy as np

from emotion_nas_tf.evaluation import results
from emotion_nas_tf.evaluation.calibration import describe_calibration
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype

LABELS = ["angry", "<sad>"]


def add_test(run, speaker, matrix):
    test = run.test(2, speaker)
    test.system("retrained").mkdir(parents=True)
    test.genotype.write_text(random_genotype(0).to_json())
    np.savez(
        test.spectrogram / "alphas.npz", alphas=np.zeros((3, 2, 14, 8), "f4")
    )
    with (test.system("retrained") / "history.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "train_loss", "validation_ua"])
        writer.writerows([[1, 1.5, 0.5], [2, 1.0, 0.6]])
    content = {
        "schema_version": results.SCHEMA_VERSION,
        "fold": 2,
        "test_speaker": speaker,
        "validation_speaker": "v",
        "label_names": LABELS,
        "fingerprint": "f",
        "systems": {},
    }
    test.metrics.write_text(json.dumps(content))
    add_system(test, "retrained", matrix)


def add_system(test, name, matrix=((1, 1), (1, 1)), validation="v"):
    """A system whose answers make this confusion matrix."""
    matrix = np.array(matrix)
    pairs = [
        pair for pair, count in np.ndenumerate(matrix) for _ in range(count)
    ]
    truths, answers = np.array(pairs).T
    probabilities = np.where(np.eye(2)[answers] > 0, 0.8, 0.2)
    content = json.loads(test.metrics.read_text())
    content["validation_speaker"] = validation
    content["systems"][name] = {
        **results.describe_matrix(matrix, LABELS),
        "validation_ua": None,
        "parameters": 72_248,
        "calibration": describe_calibration(
            probabilities, truths, probabilities, truths
        ),
    }
    test.metrics.write_text(json.dumps(content))
    is_new = not test.predictions.is_file()
    with test.predictions.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["system", "id", "speaker", "label", "predicted"])
        for index, (truth, answer) in enumerate(pairs):
            writer.writerow(
                [name, index, test.test_speaker, LABELS[truth], LABELS[answer]]
            )


def plain(page):
    """The text of a page."""
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    return text.replace("\N{NO-BREAK SPACE}", " ")


def make_run(folder):
    run = RunDirectory(folder / "demo")
    add_test(run, "a", [[3, 1], [0, 4]])
    add_test(run, "b", [[1, 1], [1, 1]])
    run.config.write_text('{"seed": 17}')
    return run
