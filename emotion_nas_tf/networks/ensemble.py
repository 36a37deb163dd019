"""Ensembles: networks trained alike that answer together.

    member 1   logits -> softmax ─┐
    member 2   logits -> softmax ─┼─ mean -> log
    member 3   logits -> softmax ─┘

The mean of the probabilities is what `compare` calls the runs' ensemble.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import keras
import tensorflow as tf

from emotion_nas_tf.networks.members import members_of
from tfrecords_builder.errors import WorkError


class EnsembleNetwork(keras.Model):
    """Networks of one stream as one network; their cells may differ.

    Args:
      members: built networks from the same input to logits of the same
        classes; `embed` needs theirs.
    """

    def __init__(self, members: Sequence[keras.Model], **kwargs):
        super().__init__(**kwargs)
        self.members = list(members)
        # They have their weights already.
        self.built = True

    @property
    def masked(self) -> bool:
        """Of recurrent members, all alike: whether padding is left out."""
        return self.members[0].masked

    def call(
        self,
        inputs: tf.Tensor | tuple[tf.Tensor, tf.Tensor],
        training: bool = False,
    ) -> tf.Tensor:
        """(batch, classes): logarithms of the members' mean probabilities.

        Their softmax is the mean itself, so that they serve as logits.
        """
        logs = [
            tf.nn.log_softmax(member(inputs, training=training))
            for member in self.members
        ]
        return tf.reduce_logsumexp(tf.stack(logs), 0) - math.log(len(logs))

    def embed(
        self, inputs: tf.Tensor | tuple[tf.Tensor, tf.Tensor]
    ) -> tf.Tensor:
        """The members' vectors, (batch, size) each, one behind the other."""
        return tf.concat([member.embed(inputs) for member in self.members], 1)


class _Info(Protocol):
    """What `network.json` says of a network's size."""

    parameters: int


def load_members(
    folder: Path,
    info: _Info,
    load: Callable[[Path], tuple[keras.Model, _Info]],
) -> keras.Model:
    """A trained network, or the ensemble of those in its members' folders.

    Args:
      folder: the system's.
      info: what it is.
      load: from the folder of a single network to that and what it is.

    Raises:
      WorkError: when members are missing.
    """
    members = members_of(folder)
    if not members:
        return load(folder)[0]
    networks, infos = zip(*map(load, members), strict=True)
    if sum(each.parameters for each in infos) != info.parameters:
        raise WorkError(
            f"{folder} is a damaged ensemble: its {len(members)} members are "
            "not those that network.json counts. `python -m "
            "emotion_nas_tf.ensemble` with the same flags makes it anew."
        )
    return EnsembleNetwork(networks)
