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
        inputs, real = _split(inputs, lengths)
        return tf.reduce_sum(inputs * self._weigh(inputs, real)[..., None], 1)

    def weigh(
        self, inputs: tf.Tensor, lengths: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The weight of each frame, (batch, frames), of sum 1.

        Args:
          inputs: (batch, frames, h).
          lengths: (batch,) real frames, or None.
        """
        return self._weigh(*_split(inputs, lengths))

    def _weigh(self, inputs: tf.Tensor, real: tf.Tensor | None) -> tf.Tensor:
        rows = tf.reshape(inputs, (-1, inputs.shape[-1]))
        scores = tf.matmul(rows, tf.convert_to_tensor(self.scoring))
        scores = tf.reshape(scores + self.bias, tf.shape(inputs)[:2])
        if real is not None:
            lowest = tf.fill(tf.shape(scores), scores.dtype.min)
            scores = tf.where(real, scores, lowest)
        return tf.nn.softmax(scores)


def _split(
    inputs: tf.Tensor, lengths: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Frames with zeros for padding, and which are real."""
    if lengths is None:
        return inputs, None
    # An utterance too short for one frame counts as one of zeros.
    lengths = tf.maximum(tf.cast(lengths, tf.int32), 1)
    real = tf.sequence_mask(lengths, tf.shape(inputs)[1])
    # No weight is not enough: nothing times infinity is not nothing.
    return tf.where(real[..., None], inputs, tf.zeros_like(inputs)), real
