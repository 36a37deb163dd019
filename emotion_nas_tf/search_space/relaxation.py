"""Relaxations: how alpha becomes the weights of the mixed operations (Eq. 1).

    softmax   the operations of an edge share a weight of 1: DARTS
    sigmoid   every operation for itself: Fair DARTS
    gumbel    one operation an edge, drawn anew every step: GDAS

A relaxation gives the weights of a pass, and the strengths by which the
operations are ranked when the cells are derived.
"""

import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import strengths

# GDAS' temperature in the first and in the last epoch.
FIRST_TEMPERATURE, LAST_TEMPERATURE = 10.0, 0.1


class Softmax:
    """Shares of one (Liu et al. 2019, Eq. 2)."""

    def weights(
        self, logits: tf.Tensor, cell: int = 0, training: bool = False
    ) -> tf.Tensor:
        """Operation weights of a pass.

        Args:
          logits: (edges, 8).
          cell: 0 for the normal, 1 for the reduction cell.
          training: whether noise may be drawn.

        Returns:
          (edges, 8).
        """
        return tf.nn.softmax(logits)

    def strengths(self, logits: np.ndarray) -> np.ndarray:
        """What the operations are ranked by, between 0 and 1."""
        return strengths.softmax(logits)

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Is told which epoch, counted from 0, of how many begins."""

    def begin_step(self, step: int) -> None:
        """Is told which step of the search, counted from 0, begins."""


class Sigmoid(Softmax):
    """Every logit's own sigmoid (Fair DARTS, Chu et al., ECCV 2020).

    A skip connection that grows takes nothing from the others. Without
    `ZeroOneLoss` nothing drives the weights apart.
    """

    def weights(
        self, logits: tf.Tensor, cell: int = 0, training: bool = False
    ) -> tf.Tensor:
        """Operation weights of a pass; see `Softmax.weights`."""
        return tf.nn.sigmoid(logits)

    def strengths(self, logits: np.ndarray) -> np.ndarray:
        """The sigmoids; those of an edge do not add up to one."""
        return strengths.sigmoid(logits)


class Gumbel(Softmax):
    """One operation an edge, drawn from the softmax (GDAS, Dong and Yang 2019).

    Forward, the weights are one-hot; backward, they are a softmax of logits,
    Gumbel noise and a temperature that falls from 10 to 0.1 over the epochs.
    All the passes of a step share the noise, as the finite difference of the
    second-order gradient must. It follows from the seed and the step alone:
    a search that goes on after a kill draws the same. Evaluated, every edge
    has its most probable operation. Every operation is computed all the same:
    this is no faster.

    Args:
      seed: of the noise.
    """

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.temperature = tf.Variable(FIRST_TEMPERATURE, trainable=False)
        self.step = tf.Variable(0, trainable=False)

    def weights(
        self, logits: tf.Tensor, cell: int = 0, training: bool = False
    ) -> tf.Tensor:
        """Operation weights of a pass; see `Softmax.weights`."""
        if not training:
            return _one_hot_of_largest(logits)
        noise = tf.random.stateless_uniform(
            logits.shape,
            [self.seed, 2 * self.step + cell],
            # Not 0, whose logarithm is infinite.
            minval=np.finfo(np.float32).tiny,
            dtype=tf.float32,
        )
        gumbel = tf.cast(-tf.math.log(-tf.math.log(noise)), logits.dtype)
        soft = tf.nn.softmax(
            (tf.nn.log_softmax(logits) + gumbel)
            / tf.cast(self.temperature, logits.dtype)
        )
        return tf.stop_gradient(_one_hot_of_largest(soft) - soft) + soft

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Lowers the temperature."""
        done = epoch / max(1, epochs - 1)
        self.temperature.assign(
            FIRST_TEMPERATURE + (LAST_TEMPERATURE - FIRST_TEMPERATURE) * done
        )

    def begin_step(self, step: int) -> None:
        """Moves on to the step's noise."""
        self.step.assign(step)


def _one_hot_of_largest(values: tf.Tensor) -> tf.Tensor:
    return tf.one_hot(
        tf.argmax(values, axis=-1), values.shape[-1], dtype=values.dtype
    )


def make_relaxation(name: str, seed: int = 0) -> Softmax:
    """A relaxation by its name in `config.RELAXATIONS`.

    Args:
      name: of the relaxation.
      seed: of its noise, if it has any.
    """
    return Gumbel(seed) if name == "gumbel" else _PLAIN[name]()


_PLAIN = {"softmax": Softmax, "sigmoid": Sigmoid}
