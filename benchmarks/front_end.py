"""Which front end, and which remedy for class imbalance? Measured by UA.

    python -m benchmarks.front_end --corpus_dir=EMODB [--seeds=3]
        [--only="paper log_mel,dft278 magnitude"] [--nested]

A plain convolutional network, the same for all, is trained with the project's
own optimiser and batches on eight speakers and tested on the two of the
session left out, without any selection on them. Prints the UA of the pooled
predictions of all five sessions, in percent: mean and range over seeds. First
every geometry and scale, then every class balance with the default front end.

A front end that has the best of these figures was chosen by those who test it.
With --nested every session is left out and a front end chosen for it by the
others alone: trained without two of the sessions, tested on the one that is
not left out. Prints, session by session, the UA of each front end by the
sessions that choose, the best of them, and what the ones chosen have on the
sessions that had no say, beside what one for all has there. The loss is
weighted by class, as training does it by default.
"""

import argparse
import itertools
from pathlib import Path

import keras
import numpy as np

from emotion_nas_tf.config import CLASS_BALANCES, TrainConfig
from emotion_nas_tf.data.batches import (
    steps_per_epoch,
    subset,
    training_batches,
)
from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.training.callbacks import CosineSchedule
from emotion_nas_tf.training.losses import class_weights
from emotion_nas_tf.training.metrics import (
    confusion_matrix,
    unweighted_accuracy,
)
from emotion_nas_tf.training.optimizers import MomentumSGD
from emotion_nas_tf.training.supervised_step import SupervisedTraining
from tfrecords_builder.audio import load_audio
from tfrecords_builder.config import (
    GEOMETRIES,
    SCALES,
    BuildConfig,
    spectrogram_preset,
)
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.features.spectrogram import Spectrogram

EPOCHS = 20


def plain_network(num_classes):
    layers = keras.layers
    stack = [layers.Input((140, 140, 1)), layers.BatchNormalization()]
    for channels in (16, 24, 32, 48):
        stack += [
            layers.Conv2D(channels, 5, 2, "same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(num_classes)]
    return keras.Sequential(stack)


def train(split, config, num_classes):
    keras.utils.set_random_seed(config.seed)
    network = plain_network(num_classes)
    factors = class_weights(config.class_balance, split.labels, num_classes)
    model = SupervisedTraining(network, factors)
    optimizer = MomentumSGD(global_clipnorm=config.gradient_clip)
    model.compile(optimizer=optimizer, jit_compile=False)
    model.fit(
        training_batches(
            split,
            config.batch_size,
            config.seed,
            0,
            config.epochs,
            balanced=config.class_balance == "sampling",
        ),
        steps_per_epoch=steps_per_epoch(len(split.labels), config.batch_size),
        epochs=config.epochs,
        verbose=0,
        callbacks=[CosineSchedule(optimizer, config)],
    )
    return network


def predictions(split, sessions, left_out, config, num_classes):
    """By session: classes answered by a network trained without `left_out`."""
    kept = np.flatnonzero(~np.isin(sessions, left_out))
    network = train(subset(split, kept), config, num_classes)
    return {
        session: network.predict(
            split.features[sessions == session], verbose=0
        ).argmax(-1)
        for session in left_out
    }


def matrices(split, sessions, config, num_classes, size):
    """Confusion matrices by the sessions left out and the one tested.

    `size` sessions are left out at a time; all of them are tested.
    """
    return {
        (left_out, session): confusion_matrix(
            split.labels[sessions == session], answers, num_classes
        )
        for left_out in itertools.combinations(np.unique(sessions), size)
        for session, answers in predictions(
            split, sessions, left_out, config, num_classes
        ).items()
    }


def pooled_ua(found):
    return 100 * unweighted_accuracy(sum(found))


def measure(name, splits, sessions, num_classes, seeds, balance):
    scores = [
        pooled_ua(
            matrices(
                splits[name],
                sessions,
                TrainConfig(epochs=EPOCHS, class_balance=balance, seed=seed),
                num_classes,
                1,
            ).values()
        )
        for seed in range(seeds)
    ]
    print(
        f"{name:22} {balance:9} {np.mean(scores):5.1f}  "
        f"({min(scores):.1f} to {max(scores):.1f}, {seeds} seeds)",
        flush=True,
    )


def choose(splits, sessions, num_classes, seeds):
    """The best front end of each session by the others, and what it gains."""
    # Confusion matrices, summed over seeds.
    alone, pairs = {}, {}
    for name, split in splits.items():
        for seed in range(seeds):
            config = TrainConfig(epochs=EPOCHS, seed=seed)
            for totals, size in ((alone, 1), (pairs, 2)):
                for key, matrix in matrices(
                    split, sessions, config, num_classes, size
                ).items():
                    totals[name, *key] = totals.get((name, *key), 0) + matrix
        print(f"{name} measured", flush=True)
    everybody = np.unique(sessions)
    chosen = {}
    for outer in everybody:
        # One of each pair tests without the other having been heard.
        scores = {
            name: pooled_ua(
                pairs[name, tuple(sorted((outer, inner))), inner]
                for inner in everybody
                if inner != outer
            )
            for name in splits
        }
        chosen[outer] = max(scores, key=scores.get)
        of_each = ", ".join(f"{n} {ua:.1f}" for n, ua in scores.items())
        print(f"without {outer}: {chosen[outer]} is best ({of_each})")
    print(
        "chosen by others",
        f"{pooled_ua(alone[chosen[o], (o,), o] for o in everybody):5.1f}",
    )
    for name in splits:
        score = pooled_ua(alone[name, (o,), o] for o in everybody)
        print(f"{name:16} {score:5.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus_dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only", default="", help="front ends, comma-separated"
    )
    parser.add_argument("--nested", action="store_true")
    arguments = parser.parse_args()
    listing = CORPORA["emodb"](
        BuildConfig("emodb", arguments.corpus_dir, Path("unused"))
    )
    waveforms = [load_audio(u.path).waveform for u in listing.utterances]
    sessions = np.array([u.session for u in listing.utterances])
    labels = np.array(
        [listing.label_names.index(u.label) for u in listing.utterances],
        np.int32,
    )
    splits = {}
    only = [name for name in arguments.only.split(",") if name]
    for geometry in GEOMETRIES:
        for scale in SCALES:
            if only and f"{geometry} {scale}" not in only:
                continue
            layer = Spectrogram(spectrogram_preset(geometry, scale))
            features = [np.array(layer(w[None]))[0] for w in waveforms]
            splits[f"{geometry} {scale}"] = Split(
                np.stack(features)[..., None],
                labels,
                tuple(u.id for u in listing.utterances),
                tuple(u.speaker for u in listing.utterances),
            )
    classes = len(listing.label_names)
    if arguments.nested:
        choose(splits, sessions, classes, arguments.seeds)
        return
    default = spectrogram_preset()
    for name in splits:
        measure(name, splits, sessions, classes, arguments.seeds, "none")
    name = f"{default.geometry} {default.scale}"
    for balance in CLASS_BALANCES[1:] if name in splits else ():
        measure(name, splits, sessions, classes, arguments.seeds, balance)


if __name__ == "__main__":
    main()
