"""Which front end, and which remedy for class imbalance? Measured by UA.

    python -m benchmarks.front_end --corpus_dir=EMODB [--seeds=3]
        [--only="paper log_mel,dft278 magnitude"]

A plain convolutional network, the same for all, is trained with the project's
own optimiser and batches on eight speakers and tested on the two of the
session left out, without any selection on them. Prints the UA of the pooled
predictions of all five sessions, in percent: mean and range over seeds. First
every geometry and scale, then every class balance with the default front end.
"""

import argparse
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


def pooled_ua(split, sessions, config, num_classes):
    predicted = np.zeros_like(split.labels)
    for session in np.unique(sessions):
        held_out = sessions == session
        network = train(
            subset(split, np.flatnonzero(~held_out)), config, num_classes
        )
        logits = network.predict(split.features[held_out], verbose=0)
        predicted[held_out] = logits.argmax(-1)
    matrix = confusion_matrix(split.labels, predicted, num_classes)
    return 100 * unweighted_accuracy(matrix)


def measure(name, splits, sessions, num_classes, seeds, balance):
    scores = [
        pooled_ua(
            splits[name],
            sessions,
            TrainConfig(epochs=EPOCHS, class_balance=balance, seed=seed),
            num_classes,
        )
        for seed in range(seeds)
    ]
    print(
        f"{name:22} {balance:9} {np.mean(scores):5.1f}  "
        f"({min(scores):.1f} to {max(scores):.1f}, {seeds} seeds)",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus_dir", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only", default="", help="front ends, comma-separated"
    )
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
    default = spectrogram_preset()
    for name in splits:
        measure(name, splits, sessions, classes, arguments.seeds, "none")
    name = f"{default.geometry} {default.scale}"
    for balance in CLASS_BALANCES[1:] if name in splits else ():
        measure(name, splits, sessions, classes, arguments.seeds, balance)


if __name__ == "__main__":
    main()
