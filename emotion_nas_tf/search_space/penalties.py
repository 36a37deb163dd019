"""Penalties on alpha, added to the loss whose gradient moves it."""

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf


class Penalty(Protocol):
    """A scalar function of alpha, whose weight may follow the epochs."""

    def __call__(self, logits: Sequence[tf.Tensor]) -> tf.Tensor:
        """Of the (edges, 8) logits of the normal and the reduction cell."""

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Is told which epoch, counted from 0, of how many begins."""


class BetaDecay:
    """weight * mean over the edges of logsumexp(alpha).

    Beta-DARTS (Ye et al., CVPR 2022): it pulls most at the strongest
    operations, so none runs away early. The weight grows linearly from 0 in
    the first epoch to its full value in the last.

    Args:
      weight: in the last epoch.
    """

    def __init__(self, weight: float):
        self.weight = weight
        self.now = tf.Variable(0.0, trainable=False)

    def __call__(self, logits: Sequence[tf.Tensor]) -> tf.Tensor:
        """The penalty."""
        rows = tf.concat(logits, 0)
        mean = tf.reduce_mean(tf.reduce_logsumexp(rows, axis=-1))
        return tf.cast(self.now, rows.dtype) * mean

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Raises the weight."""
        done = epoch / (epochs - 1) if epochs > 1 else 1.0
        self.now.assign(self.weight * done)


class ZeroOneLoss:
    """-weight * mean over all operations of (sigmoid(alpha) - 0.5)^2.

    Fair DARTS (Chu et al., ECCV 2020): it drives every sigmoid to 0 or
    1, so that less is lost when the cells are made discrete.

    Args:
      weight: theirs is 10.
    """

    def __init__(self, weight: float):
        self.weight = weight

    def __call__(self, logits: Sequence[tf.Tensor]) -> tf.Tensor:
        """The penalty."""
        sigmoids = tf.nn.sigmoid(tf.concat(logits, 0))
        return -self.weight * tf.reduce_mean(tf.square(sigmoids - 0.5))

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Stays as it is."""


def make_penalties(beta_decay: float, zero_one_weight: float) -> list[Penalty]:
    """The penalties whose weight is not 0."""
    return [
        make(weight)
        for make, weight in (
            (BetaDecay, beta_decay),
            (ZeroOneLoss, zero_one_weight),
        )
        if weight
    ]
