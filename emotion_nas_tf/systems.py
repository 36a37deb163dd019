"""The systems of a test: what is trained, compared and reported.

A system is anything that answers with probabilities of the classes. Tables
show them in the order of `SYSTEMS`; a test may have any of them. Pure Python:
no TensorFlow.
"""

from collections.abc import Iterable
from dataclasses import dataclass

# Where a system belongs: its folder in a test's folder.
SPECTROGRAM, RECURRENT = "spectrogram", "recurrent"
FUSION = "fusion"
COMPARATORS = "comparators"

# The two branches of the paper, each with records' features of its own.
STREAMS = (SPECTROGRAM, RECURRENT)
# A test's result: of these, the first that is there.
PREFERRED = ("fusion", "retrained", "recipe")


@dataclass(frozen=True)
class System:
    """One system.

    Attributes:
      name: in files, flags and folders.
      stream: whose folder it lies in; one of `STREAMS`, or another group.
      title: for people, in tables.
      meaning: for people, in a sentence without its end.
      program: what makes it, as `python -m` has it.
    """

    name: str
    stream: str
    title: str
    meaning: str
    program: str


_ALL = (
    System(
        "search",
        SPECTROGRAM,
        "search network",
        "the network of the search as it stands, all operations mixed",
        "emotion_nas_tf.search",
    ),
    System(
        "inherited",
        SPECTROGRAM,
        "found cell, inherited weights",
        "the found cells alone, with the weights that the search left them",
        "emotion_nas_tf.train",
    ),
    System(
        "retrained",
        SPECTROGRAM,
        "found cell, retrained",
        "the found cells trained from scratch: the result",
        "emotion_nas_tf.train",
    ),
    System(
        "random_cell",
        SPECTROGRAM,
        "random cell",
        "cells drawn by lot and trained alike: what searching has to beat",
        "emotion_nas_tf.train",
    ),
    System(
        "recipe",
        RECURRENT,
        "found recurrent cell",
        "the best of the recurrent candidates, trained at full length: the "
        "result of the second stream",
        "emotion_nas_tf.train",
    ),
    System(
        "random_recipe",
        RECURRENT,
        "random recurrent cell",
        "a recurrent cell drawn by lot and trained alike",
        "emotion_nas_tf.train",
    ),
    System(
        "lstm",
        RECURRENT,
        "LSTM",
        "the cell of Hochreiter and Schmidhuber, trained alike",
        "emotion_nas_tf.train",
    ),
    System(
        "gru",
        RECURRENT,
        "GRU",
        "the cell of Cho and others, trained alike",
        "emotion_nas_tf.train",
    ),
    System(
        "fusion",
        FUSION,
        "fusion of both streams",
        "a small perceptron on the probabilities of both streams: the result "
        "of the whole",
        "emotion_nas_tf.fuse",
    ),
    System(
        "fusion_mean",
        FUSION,
        "mean of both streams",
        "the mean of their probabilities; nothing is trained",
        "emotion_nas_tf.fuse",
    ),
    System(
        "fusion_product",
        FUSION,
        "product of both streams",
        "the product of their probabilities; nothing is trained",
        "emotion_nas_tf.fuse",
    ),
    System(
        "perceptron_spectrogram",
        FUSION,
        "perceptron on the spectrogram stream",
        "the same perceptron on the one stream twice: what it gains here is "
        "no gain from fusion",
        "emotion_nas_tf.fuse",
    ),
    System(
        "perceptron_recurrent",
        FUSION,
        "perceptron on the recurrent stream",
        "the same perceptron on the other stream twice",
        "emotion_nas_tf.fuse",
    ),
    System(
        "majority",
        COMPARATORS,
        "majority class",
        "always the class that the training speakers show most",
        "emotion_nas_tf.train",
    ),
    System(
        "cnn",
        COMPARATORS,
        "hand-designed CNN",
        "a plain convolutional network of the found ones' size, trained alike",
        "emotion_nas_tf.train",
    ),
    System(
        "opensmile_svm",
        COMPARATORS,
        "openSMILE + linear SVM",
        "6,373 ComParE functionals of the whole utterance and a linear support "
        "vector machine",
        "emotion_nas_tf.train",
    ),
)

SYSTEMS: dict[str, System] = {system.name: system for system in _ALL}


def systems_of(stream: str) -> tuple[str, ...]:
    """Names of a stream's systems, in the order of tables."""
    return tuple(
        name for name, system in SYSTEMS.items() if system.stream == stream
    )


def result_of(names: Iterable[str]) -> str:
    """The one of these systems that stands for the whole.

    Of `PREFERRED` the first that is there, or else what comes nearest.
    """
    there = list(names)
    order = (*PREFERRED, "inherited", "search", "random_cell")
    return next((name for name in order if name in there), there[0])
