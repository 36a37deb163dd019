"""Attention over frames: one vector for an utterance."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("emotion_nas_tf")
class AttentionPooling(keras.layers.Layer):
    """Weights frames by their importance and sums them (paper, section 2.2).

    A frame's score is linear in it, and the weights are the scores' softmax
    over time: additive attention with the fewest parameters, h + 1. It is the
    size with which the recurrent branch has the parameters of the paper's
    Table 4.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the scoring weights for frames of size `input_shape[-1]`."""
        self.scoring = self.add_weight(
            name="scoring",
            shape=(input_shape[-1], 1),
            initializer="glorot_uniform",
        )
        # Without effect on the weights; the paper's count has it.
        self.bias = self.add_weight(
            name="bias", shape=(1,), initializer="zeros"
        )
        self.built = True

    def call(
        self, inputs: tf.Tensor, lengths: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Pools frames.

        Args:
          inputs: (batch, frames, h).
          lengths: (batch,) real frames, at least one each; padding after them
            gets no weight, whatever is in it. None for the unmasked form: all
            frames take part.

        Returns:
          (batch, h).
        """
        weights = self.weigh(inputs, lengths)
        if lengths is not None:
            # Nothing times infinity is not nothing.
            real = _real(inputs, lengths)[..., None]
            inputs = tf.where(real, inputs, tf.zeros_like(inputs))
        return tf.reduce_sum(inputs * weights[..., None], 1)

    def weigh(
        self, inputs: tf.Tensor, lengths: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The weight of each frame, (batch, frames), of sum 1.

        Args:
          inputs: (batch, frames, h).
          lengths: (batch,) real frames, or None.
        """
        shape = tf.shape(inputs)
        rows = tf.reshape(inputs, (-1, inputs.shape[-1]))
        scores = tf.matmul(rows, tf.convert_to_tensor(self.scoring))
        scores = tf.reshape(scores + self.bias, shape[:2])
        if lengths is not None:
            lowest = tf.fill(tf.shape(scores), scores.dtype.min)
            scores = tf.where(_real(inputs, lengths), scores, lowest)
        return tf.nn.softmax(scores)


def _real(inputs: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    frames = tf.shape(inputs)[1]
    # An utterance too short for one frame counts as one of zeros.
    lengths = tf.maximum(tf.cast(lengths, tf.int32), 1)
    return tf.sequence_mask(lengths, frames)
