"""Drop path: in training, whole edges of a derived cell fall silent.

Larsson et al., FractalNet (ICLR 2017), as the published DARTS training of
derived networks uses it: more and more often from epoch to epoch.
"""

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.elementwise import wide_dtype


class DropPath:
    """Silences an edge for some of a batch's utterances.

    An utterance loses an edge with probability rate * epoch / epochs, where
    epochs count from 0, each edge and utterance for itself; what stays is
    scaled by 1 / (1 - probability), so that the expected sum of a node does
    not change. Who loses what is a pure function of seed and step: a training
    that was killed goes on with the same draws.

    Args:
      rate: what the probability grows towards, 0 to 1.
      seed: of the training.
      step: number of steps completed, as the optimiser counts them.
      steps_per_epoch: steps of an epoch.
      epochs: of the whole training.
    """

    def __init__(
        self,
        rate: float,
        seed: int,
        step: keras.Variable,
        steps_per_epoch: int,
        epochs: int,
    ):
        self.rate, self.seed, self.step = rate, seed, step
        self.steps_per_epoch, self.epochs = steps_per_epoch, epochs

    def __call__(self, cell: int, edge: int, y: tf.Tensor) -> tf.Tensor:
        """Drops one edge's result for some utterances.

        Args:
          cell: number of the cell in the network.
          edge: number of the edge in the cell.
          y: (batch, frequency, time, channels).

        Returns:
          As `y`: an utterance's values are 0 or scaled.
        """
        step = tf.cast(self.step.value, tf.int64)
        dtype = wide_dtype(y.dtype)
        epoch = tf.cast(step // self.steps_per_epoch, dtype)
        keep = 1 - self.rate * epoch / self.epochs
        seed = tf.stack([tf.constant(self.seed, tf.int64), step])
        for place in (cell, edge):
            seed = tf.random.fold_in(seed, place, alg="philox")
        drawn = tf.random.stateless_uniform(
            (tf.shape(y)[0], 1, 1, 1), seed, dtype=dtype, alg="philox"
        )
        return y * tf.cast(drawn < keep, y.dtype) / tf.cast(keep, y.dtype)
