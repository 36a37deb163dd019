"""Program: several runs' networks as one run whose answers are their mean.

    python -m emotion_nas_tf.ensemble --run_dirs=runs/seed0,runs/seed1 \\
        --run_dir=runs/ensemble

Trains nothing. The new run is evaluated, fused, compared, reported, exported
and predicted with like any other.
"""

import itertools
import shlex
import sys
from collections.abc import Sequence

from flags import ensemble_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]) -> None:
    """Makes the ensemble that the flags ask for."""
    program.refuse_arguments(arguments)
    config = ensemble_flags.ensemble_config()

    program.load_tensorflow()
    from emotion_nas_tf.training.ensembling import make_ensemble

    shared = make_ensemble(
        config.run_dirs,
        config.run_dir,
        config.systems,
        shlex.join(["python", "-m", "emotion_nas_tf.ensemble", *sys.argv[1:]]),
    )
    for directory, parts in itertools.groupby(
        shared.parts, lambda part: part.directory
    ):
        names = ", ".join(part.system for part in parts)
        print(f"{directory.path}: {names}")
    if shared.left_out:
        print(f"Left out: {'; '.join(shared.left_out)}.")
    folds = dict.fromkeys(str(part.directory.fold) for part in shared.parts)
    print(
        f"python -m emotion_nas_tf.evaluate --run_dir={config.run_dir} "
        f"--folds={','.join(folds)}, with the runs' --records_dir and "
        "--test_speaker, tests it."
    )


if __name__ == "__main__":
    program.run(main)
