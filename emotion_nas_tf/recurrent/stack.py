"""Cells of one recipe, stacked, over whole sequences."""

from collections.abc import Sequence
from typing import Any

import joblib
import keras
import tensorflow as tf

from emotion_nas_tf.recurrent import time_loop
from emotion_nas_tf.recurrent.cell import RecipeCell
from emotion_nas_tf.recurrent.recipe import Recipe

States = Sequence[Sequence[tf.Tensor]]

# Utterances that keep one core busy: with fewer, its matrix products slow down.
ROWS_PER_PART = 16


@keras.saving.register_keras_serializable("emotion_nas_tf")
class RecurrentStack(keras.layers.Layer):
    """Layers of the same recipe, each with weights of its own.

    The input of a layer is the output, h_new_0, of the one below.

    Args:
      recipe: the cell of every layer, or its mapping as JSON has it.
      num_layers: L.
      hidden_size: h.
      compiled: work through the sequence in programs compiled by XLA: faster,
        after seconds of compiling. Without, the same operations one by one.

    Raises:
      ValueError: when a size is less than 1.
    """

    def __init__(
        self,
        recipe: Recipe | dict,
        num_layers: int = 2,
        hidden_size: int = 256,
        compiled: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"num_layers must be at least 1: {num_layers}")
        self.cells = [
            RecipeCell(recipe, hidden_size, dtype=self.dtype_policy)
            for _ in range(num_layers)
        ]
        self.recipe = self.cells[0].recipe
        self.num_layers = num_layers
        self.hidden_size = hidden_size
        self.compiled = compiled

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights of every layer."""
        size = input_shape[-1]
        for cell in self.cells:
            cell.build((None, size))
            size = self.hidden_size
        self.built = True

    def call(
        self,
        inputs: tf.Tensor,
        lengths: tf.Tensor | None = None,
        initial_states: States | None = None,
        return_states: bool = False,
    ) -> tf.Tensor | tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Runs the layers over the sequences.

        Args:
          inputs: (batch, frames, d).
          lengths: (batch,) real frames of each sequence; the frames after
            them must follow, and change neither the outputs before them nor
            the last states. None when all are real.
          initial_states: for each layer, for each state, (batch, h); zeros
            when None.
          return_states: return the states after the last real frame too.

        Returns:
          (batch, frames, h) of the last layer; with `return_states` also, for
          each layer, for each state, (batch, h).
        """
        rows = _parts(inputs.shape[0])
        frames = tf.shape(inputs)[1]
        sequence = time_loop.pad(tf.transpose(inputs, (1, 0, 2)))
        parts = []
        for i, part in enumerate(_split(sequence, rows)):
            if initial_states is None:
                states = [self._zeros(part)] * self.num_layers
            else:
                states = [
                    [_split(state, rows, 0)[i] for state in layer]
                    for layer in initial_states
                ]
            parts.append(self._run(part, frames, states))
        shape = (inputs.shape[1], inputs.shape[0], self.hidden_size)

        def whole(layer: int, state: int) -> tf.Tensor:
            pieces = [part[layer][state] for part in parts]
            return tf.ensure_shape(tf.concat(pieces, 1)[:frames], shape)

        outputs = tf.transpose(whole(-1, 0), (1, 0, 2))
        if not return_states:
            return outputs
        states = range(self.recipe.num_states)
        return outputs, [
            [_last(whole(i, k), lengths) for k in states]
            for i in range(self.num_layers)
        ]

    def _run(
        self, sequence: tf.Tensor, frames: tf.Tensor, states: States
    ) -> list[tuple]:
        """For each layer, of each state, (frames with padding, batch, h)."""
        layers = []
        for cell, initial in zip(self.cells, states, strict=True):
            layers.append(
                time_loop.run(
                    self.recipe,
                    sequence,
                    frames,
                    initial,
                    *cell.tensors(),
                    compiled=self.compiled,
                )
            )
            sequence = layers[-1][0]
        return layers

    def _zeros(self, sequence: tf.Tensor) -> list[tf.Tensor]:
        zeros = self.cells[0].get_initial_state(tf.shape(sequence)[1])
        # A batch of known size is compiled for that size.
        shape = (sequence.shape[1], self.hidden_size)
        return [tf.ensure_shape(state, shape) for state in zeros]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "recipe": self.recipe.to_mapping(),
            "num_layers": self.num_layers,
            "hidden_size": self.hidden_size,
            "compiled": self.compiled,
        }


def _last(sequence: tf.Tensor, lengths: tf.Tensor | None) -> tf.Tensor:
    """(frames, batch, h) -> (batch, h) of each last real frame."""
    if lengths is None:
        return sequence[-1]
    frames = tf.cast(lengths, tf.int32) - 1
    places = tf.stack([frames, tf.range(tf.shape(sequence)[1])], -1)
    return tf.gather_nd(sequence, places)


def _parts(batch: int | None) -> list[int]:
    """Into how many utterances each a batch is cut, to keep all cores busy.

    A time step is too small to be shared among cores, so each works through
    utterances of its own.
    """
    cores = tf.config.threading.get_inter_op_parallelism_threads()
    cores = cores or joblib.cpu_count()
    if batch is None or tf.config.list_logical_devices("GPU"):
        return [-1]
    parts = max(1, min(cores, batch // ROWS_PER_PART))
    return [batch // parts + (i < batch % parts) for i in range(parts)]


def _split(
    tensor: tf.Tensor, rows: list[int], axis: int = 1
) -> list[tf.Tensor]:
    return [tensor] if len(rows) == 1 else tf.split(tensor, rows, axis)
