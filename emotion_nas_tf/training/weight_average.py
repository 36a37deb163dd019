"""The moving average of a network's weights.

Averages of the weights along a training (Polyak and Juditsky 1992) often
generalise better than the last ones; that the older count exponentially less,
as in Tarvainen and Valpola (NIPS 2017), needs one copy.
"""

import keras
import tensorflow as tf


class WeightAverage:
    """Follows a network with another one of its kind.

        average = d * average + (1 - d) * weights       after every step t
        d = min(decay, (1 + t) / (10 + t))

    so that the initial weights are soon forgotten. All variables are averaged,
    the batch normalisations' running means and variances too: they are then
    those of nearly the weights that the average is of, without passing over
    the training speakers once more.

    Args:
      network: what is trained.
      average: a network of the same kind; takes over the weights at once.
      decay: 0 for the weights themselves, below 1.
    """

    def __init__(
        self, network: keras.Model, average: keras.Model, decay: float
    ):
        self.network, self.average, self.decay = network, average, decay
        for mean, variable in self._pairs():
            mean.assign(variable)

    def update(self, step: tf.Tensor) -> None:
        """Moves the average.

        Args:
          step: t, steps completed, the first counts 1.
        """
        t = tf.cast(step, tf.float32)
        decay = tf.minimum(self.decay, (1 + t) / (10 + t))
        for mean, variable in self._pairs():
            mean.assign_sub(
                (1 - tf.cast(decay, mean.dtype)) * (mean - variable)
            )

    def _pairs(self) -> zip:
        return zip(self.average.variables, self.network.variables, strict=True)
