"""What search and derived networks share: stem, cells in a row, head.

    (140, 140, 1) -> stem 3x3, BN: 3C -> cell 0 ... cell L-1 -> mean -> logits

Cells L // 3 and 2L // 3 are reduction cells and double the channels.
"""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from emotion_nas_tf.search_space.convolution import fan_in_uniform
from emotion_nas_tf.search_space.normalization import BatchNormalization
from emotion_nas_tf.search_space.parts import Parts, cut, each, whole
from emotion_nas_tf.search_space.plan import STEM_MULTIPLIER, plan_cells


class Backbone(keras.Model):
    """Stem, cells and head around cells of any kind.

    Args:
      make_cell: called with a `CellPlan`'s fields; gives a layer that takes
        (c_{k-2}, c_{k-1}, *cell_arguments, training=...).
      num_cells: L.
      num_channels: C.
      num_classes: logits.
      output_nodes: nodes whose concatenation is the last cell's output.
    """

    def __init__(
        self,
        make_cell: Callable[..., keras.layers.Layer],
        num_cells: int,
        num_channels: int,
        num_classes: int,
        output_nodes: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        plans = plan_cells(num_cells, num_channels)
        self.stem_channels = STEM_MULTIPLIER * num_channels
        self.stem_normalization = BatchNormalization(affine=True)
        self.cells = [
            make_cell(**dataclasses.asdict(plan), name=f"cell_{index}")
            for index, plan in enumerate(plans)
        ]
        self.head_channels = output_nodes * plans[-1].channels
        # Logits are never held in half the bits.
        self.classifier = keras.layers.Dense(
            num_classes, name="classifier", dtype=self.variable_dtype
        )

    def build(self, input_shape: tuple) -> None:
        """Creates stem and head; cells are built by the first call."""
        inputs = input_shape[-1]
        self.stem = self.add_weight(
            name="stem",
            shape=(3, 3, inputs, self.stem_channels),
            initializer=fan_in_uniform(9 * inputs),
        )
        self.stem_normalization.build((self.stem_channels,))
        self.classifier.kernel_initializer = fan_in_uniform(self.head_channels)
        self.classifier.bias_initializer = fan_in_uniform(self.head_channels)
        self.classifier.build((None, self.head_channels))
        self.built = True

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps (batch, frequency, time, 1) to (batch, classes) logits."""
        return self.classifier(self.embed(x, training))

    def embed(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """(batch, channels): what the classifier reads."""
        output = self._outputs(x, training)[-1]
        return whole(
            each(
                lambda part: tf.reduce_mean(
                    tf.cast(part, self.variable_dtype), [1, 2]
                ),
                output,
            )
        )

    def outputs_of_cells(
        self, x: tf.Tensor, training: bool = False
    ) -> list[tf.Tensor]:
        """The stem's output and every c_k: (batch, freq., time, channels)."""
        return [whole(output) for output in self._outputs(x, training)]

    def _outputs(self, x, training):
        stem = tf.convert_to_tensor(self.stem.value)
        y = each(
            lambda part: tf.nn.conv2d(part, stem, 1, "SAME"),
            cut(x, self.number_of_parts(x, training)),
        )
        y = self.stem_normalization(y, training=training)
        # Both inputs of the first cell are the stem's output.
        outputs = [y, y]
        arguments = self.cell_arguments(training)
        for cell in self.cells:
            further = arguments[cell.reduction]
            outputs.append(
                self.call_cell(cell, *outputs[-2:], *further, training=training)
            )
        return outputs[1:]

    def call_cell(
        self, cell: keras.layers.Layer, *inputs: Parts, training: bool
    ) -> Parts:
        """What a cell makes of its inputs.

        Args:
          cell: one of `cells`.
          *inputs: c_{k-2}, c_{k-1}, each (batch, frequency, time, channels),
            and `cell_arguments`.
          training: as the cell's.
        """
        return cell(*inputs, training=training)

    def number_of_parts(self, x: tf.Tensor, training: bool) -> int:
        """Into how many parts cells get a batch."""
        return 1

    def cell_arguments(self, training: bool = False) -> tuple[tuple, tuple]:
        """What normal and reduction cells take beside their inputs."""
        return (), ()
