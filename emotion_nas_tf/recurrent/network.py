"""The recurrent branch: cells, attention over frames, classes."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.config import RecurrentConfig
from emotion_nas_tf.networks.attention import AttentionPooling
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.stack import RecurrentStack

Batch = tf.Tensor | tuple[tf.Tensor, tf.Tensor]


@keras.saving.register_keras_serializable("emotion_nas_tf")
class RecurrentNetwork(keras.Model):
    """Frame features in, logits out (paper, section 2.2).

    Called with (features, lengths): (batch, frames, d) and (batch,) real
    frames. The network then stops at the longest utterance of the batch, and
    attends to real frames. Called with features alone, or with `masked=False`
    (the paper as it is written), it goes on through the padding and attends
    to it.

    Args:
      recipe: the cell, or its mapping as JSON has it.
      num_layers: L.
      hidden_size: h.
      num_classes: logits.
      masked: leave padding out.
      softmax: return probabilities instead of logits.
      standardize: shift and scale features by weights that do not train, see
        `set_moments`; for features like log-mel, which are far from 0 and
        of small deviation. Padding stays 0.
      compiled: see `RecurrentStack`.
    """

    def __init__(
        self,
        recipe: Recipe | dict,
        num_layers: int = 2,
        hidden_size: int = 256,
        num_classes: int = 4,
        masked: bool = True,
        softmax: bool = False,
        standardize: bool = False,
        compiled: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.stack = RecurrentStack(
            recipe, num_layers, hidden_size, compiled, dtype=policy
        )
        self.pooling = AttentionPooling(dtype=policy)
        self.classifier = keras.layers.Dense(
            num_classes, "softmax" if softmax else None, dtype=policy
        )
        self.masked = masked
        self.standardize = standardize
        self._arguments = {
            "num_layers": num_layers,
            "hidden_size": hidden_size,
            "num_classes": num_classes,
            "masked": masked,
            "softmax": softmax,
            "standardize": standardize,
            "compiled": compiled,
        }

    @property
    def recipe(self) -> Recipe:
        """The cell of every layer."""
        return self.stack.recipe

    def build(self, input_shape: Any) -> None:
        """Makes the weights for frames of size d.

        Args:
          input_shape: (batch, frames, d), alone or before that of lengths.
        """
        if isinstance(input_shape[0], list | tuple):
            input_shape = input_shape[0]
        if self.standardize:
            self.feature_mean, self.feature_scale = (
                self.add_weight(
                    name=name,
                    shape=input_shape[-1:],
                    initializer=initializer,
                    trainable=False,
                )
                for name, initializer in (
                    ("feature_mean", "zeros"),
                    ("feature_scale", "ones"),
                )
            )
        self.stack.build(input_shape)
        hidden = (None, None, self.stack.hidden_size)
        self.pooling.build(hidden)
        self.classifier.build(hidden[1:])
        self.built = True

    def call(self, inputs: Batch, training: bool | None = None) -> tf.Tensor:
        """(batch, classes): logits, or probabilities with `softmax`."""
        return self.classifier(self.embed(inputs))

    def embed(self, inputs: Batch) -> tf.Tensor:
        """The utterances' vectors, (batch, h), before the classifier."""
        features, lengths = inputs, None
        if isinstance(inputs, list | tuple):
            features, lengths = inputs
        if self.standardize:
            features = self._standardized(features, lengths)
        if not self.masked:
            lengths = None
        if lengths is not None:
            longest = tf.maximum(tf.reduce_max(tf.cast(lengths, tf.int32)), 1)
            features = features[:, :longest]
        return self.pooling(self.stack(features), lengths)

    def set_moments(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Standardises by these from now on; a deviation of 0 by 1.

        Args:
          mean: (d,) of the features over real frames.
          deviation: (d,) likewise.
        """
        self.feature_mean.assign(mean)
        self.feature_scale.assign(1 / np.where(deviation > 0, deviation, 1))

    def _standardized(
        self, features: tf.Tensor, lengths: tf.Tensor | None
    ) -> tf.Tensor:
        shifted = features - tf.cast(self.feature_mean, features.dtype)
        scaled = shifted * tf.cast(self.feature_scale, features.dtype)
        if lengths is None:
            return scaled
        real = tf.sequence_mask(lengths, tf.shape(features)[1])
        return tf.where(real[..., None], scaled, tf.zeros_like(scaled))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "recipe": self.recipe.to_mapping(),
            **self._arguments,
        }


def build_recurrent_network(
    config: RecurrentConfig, recipe: Recipe, num_classes: int, **options
) -> RecurrentNetwork:
    """A network of a size, with its weights.

    Args:
      config: its size.
      recipe: its cell.
      num_classes: logits.
      **options: others of `RecurrentNetwork`.
    """
    network = RecurrentNetwork(
        recipe,
        config.num_layers,
        config.hidden_size,
        num_classes,
        **{
            "masked": config.masked,
            "standardize": bool(config.standardize),
            **options,
        },
    )
    network.build((None, None, config.input_size))
    return network
