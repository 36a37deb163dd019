"""Mixup: a network learns from mixtures of two utterances.

Zhang et al., mixup: Beyond Empirical Risk Minimization (ICLR 2018). As in
their code, a batch is mixed with itself in another order, in one share.
"""

from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True, eq=False)
class Mixture:
    """Who is mixed with whom.

    Attributes:
      share: scalar, lambda: of an utterance itself in its mixture.
      partner: (batch,) positions of the other utterances.
    """

    share: tf.Tensor
    partner: tf.Tensor

    def features(self, x: tf.Tensor) -> tf.Tensor:
        """share * x + (1 - share) * x of the partners."""
        share = tf.cast(self.share, x.dtype)
        return share * x + (1 - share) * tf.gather(x, self.partner)

    def loss(self, own: tf.Tensor, of_partners: tf.Tensor) -> tf.Tensor:
        """The loss of the mixed target, for which cross entropy is linear.

        Args:
          own: scalar, with the utterances' own labels.
          of_partners: scalar, with their partners'.
        """
        share = tf.cast(self.share, own.dtype)
        return share * own + (1 - share) * of_partners

    def labels(self, y: tf.Tensor) -> tf.Tensor:
        """Whose share is the larger, for the metrics of training."""
        return tf.where(self.share >= 0.5, y, tf.gather(y, self.partner))


def draw_mixture(
    batch_size: tf.Tensor | int, alpha: float, seed: int, step: tf.Tensor
) -> Mixture:
    """Draws a step's mixture: a pure function of seed and step.

    So that a training that was killed goes on with the same mixtures.

    Args:
      batch_size: utterances.
      alpha: the share is Beta(alpha, alpha): near 0 or 1 for a small alpha,
        uniform for 1.
      seed: of the training.
      step: steps completed.
    """
    seeds = tf.random.split(
        tf.stack([tf.cast(seed, tf.int64), tf.cast(step, tf.int64)]),
        3,
        alg="philox",
    )
    # Gamma variables of small alpha are too small for single precision.
    first, second = (
        tf.random.stateless_gamma(
            (), tf.cast(each, tf.int32), alpha, dtype=tf.float64
        )
        for each in (seeds[0], seeds[1])
    )
    return Mixture(
        tf.math.divide_no_nan(first, first + second),
        tf.random.experimental.stateless_shuffle(
            tf.range(batch_size), seeds[2], alg="philox"
        ),
    )
