"""On whose probabilities should the fusion's perceptron be fitted?

    python -m benchmarks.fusion_data --records_dir=RECORDS --run_dir=RUN
        [--data=training,validation,cross_fitted] [--seeds=3]
        [--fused=retrained,recipe]

For every test of a run whose streams have been trained: the perceptron is
fitted on each kind of data, on both streams and on one alone, and tested on the
test speaker. Prints UA of the pooled predictions and mean over the tests, in
percent: mean and range over seeds; beside them the mean and the product, which
have neither data nor seed. The run's own fusion is left as it is; streams that
`cross_fitted` has to train are kept in its folder.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from emotion_nas_tf.config import FUSION_DATA, FusionConfig
from emotion_nas_tf.data.folds import make_folds
from emotion_nas_tf.evaluation.answers import system_probabilities
from emotion_nas_tf.networks.fusion import stack_streams
from emotion_nas_tf.networks.fusion_system import (
    PERCEPTRON,
    join_plainly,
    perceptron_probabilities,
)
from emotion_nas_tf.networks.system import has_system
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training.fuse_fold import fitting_answers, fusions_of
from emotion_nas_tf.training.fusing import Answers, fit_perceptron
from emotion_nas_tf.training.metrics import (
    confusion_matrix,
    unweighted_accuracy,
)
from tfrecords_builder.records import load_manifest


def tests_of(manifest, run, fused):
    """Fold and folder of every test that has the streams."""
    for directory in run.tests():
        if all(has_system(directory, system) for system in fused):
            folds = make_folds(manifest, directory.fold)
            yield (
                next(
                    f for f in folds if f.test_speaker == directory.test_speaker
                ),
                directory,
            )


def matrices_of(records_dir, manifest, fold, directory, kinds, fused, seeds):
    """Confusion matrices of one test by (data, fusion, seed)."""

    def answer(directory, system, indices):
        return system_probabilities(
            directory, system, records_dir, manifest, indices
        )

    labels = np.array([entry.label for entry in manifest.entries])
    asked = {s: answer(directory, s, fold.test) for s in fused}
    validation = {s: answer(directory, s, fold.validation) for s in fused}
    found = {}

    def note(key, probabilities):
        found[key] = confusion_matrix(
            labels[list(fold.test)],
            probabilities.argmax(axis=1),
            len(manifest.label_names),
        )

    def stacked(answers, systems):
        return stack_streams([answers[system] for system in systems])

    for name, (method, systems) in fusions_of(fused).items():
        if method != PERCEPTRON:
            joined = join_plainly(method, stacked(asked, systems))
            note(("-", name, 0), joined)
    for kind in kinds:
        config = FusionConfig(fused=fused, data=kind)
        fitting, places = fitting_answers(
            records_dir, manifest, fold, directory, config, answer, validation
        )
        for name, (method, systems) in fusions_of(fused).items():
            if method != PERCEPTRON:
                continue
            of_validation = Answers(
                stacked(validation, systems), labels[list(fold.validation)]
            )
            for seed in range(seeds):
                fitted = fit_perceptron(
                    Answers(stacked(fitting, systems), labels[places]),
                    of_validation,
                    dataclasses.replace(config, seed=seed),
                )
                answers = perceptron_probabilities(
                    fitted.network, stacked(asked, systems)
                )
                note((kind, name, seed), answers)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records_dir", type=Path, required=True)
    parser.add_argument("--run_dir", type=Path, required=True)
    parser.add_argument("--data", default=",".join(FUSION_DATA))
    parser.add_argument("--fused", default=",".join(FusionConfig().fused))
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    kinds, fused = given.data.split(","), tuple(given.fused.split(","))
    manifest = load_manifest(given.records_dir)
    tests = list(tests_of(manifest, RunDirectory(given.run_dir), fused))
    if not tests:
        parser.error(f"no test of {given.run_dir} has {' and '.join(fused)}")
    every = []
    for fold, directory in tests:
        print(f"fold {fold.number}, test speaker {fold.test_speaker}")
        every.append(
            matrices_of(
                given.records_dir,
                manifest,
                fold,
                directory,
                kinds,
                fused,
                given.seeds,
            )
        )
    print(
        f"\n{'fitted on':13} {'system':23} UA pooled        UA, mean of tests"
    )
    for kind, name in dict.fromkeys(key[:2] for key in every[0]):
        pooled, mean = [], []
        for key in every[0]:
            if key[:2] == (kind, name):
                matrices = [found[key] for found in every]
                pooled.append(unweighted_accuracy(sum(matrices)))
                mean.append(np.mean([unweighted_accuracy(m) for m in matrices]))
        print(f"{kind:13} {name:23} {show(pooled)}  {show(mean)}", flush=True)


def show(values):
    low, high = 100 * min(values), 100 * max(values)
    return f"{100 * np.mean(values):4.1f} ({low:.1f}-{high:.1f})".ljust(16)


if __name__ == "__main__":
    main()
