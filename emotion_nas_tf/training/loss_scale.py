"""A factor of the loss that keeps gradients within half precision's range.

Micikevicius et al., Mixed Precision Training (ICLR 2018), section 3.2: the
loss is multiplied before it is differentiated, and the gradients divided
afterwards. Too large a factor makes a gradient overflow: then the pass moves
nothing and the factor is halved. After many steps without, it is doubled.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from emotion_nas_tf.training.callbacks import show_progress
from tfrecords_builder.errors import WorkError

FIRST_SCALE = 2.0**15
STEPS_TO_GROW = 2000


class LossScale(keras.layers.Layer):
    """The factor, and how it changes; both in the checkpoints.

    Attributes:
      factor: of the loss; at least 1.
      finite_steps: since it last changed.
      skipped_steps: of the whole training, with a gradient that overflowed.
    """

    def __init__(self):
        super().__init__(dtype="float32", name="loss_scale")
        self.factor = self._number("factor", FIRST_SCALE, "float32")
        self.finite_steps = self._number("finite_steps", 0, "int32")
        self.skipped_steps = self._number("skipped_steps", 0, "int32")
        self.built = True

    def _number(self, name: str, value: float, dtype: str) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(value),
            dtype=dtype,
            trainable=False,
        )

    def up(self, loss: tf.Tensor) -> tf.Tensor:
        """The loss that is differentiated."""
        return loss * self.factor.value

    def down(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """The gradients of the loss itself."""
        return [gradient / self.factor.value for gradient in gradients]

    def update(self, finite: tf.Tensor) -> None:
        """Ends a step.

        Args:
          finite: scalar bool, whether all of its gradients were.
        """
        enough = self.finite_steps.value + 1 >= STEPS_TO_GROW
        changed = tf.where(enough, 2.0, 1.0), 0.5
        self.factor.assign(
            tf.maximum(self.factor.value * tf.where(finite, *changed), 1.0)
        )
        self.finite_steps.assign(
            tf.where(finite & ~enough, self.finite_steps.value + 1, 0)
        )
        self.skipped_steps.assign_add(tf.where(finite, 0, 1))


def make_loss_scale(network: keras.Model) -> LossScale | None:
    """For a network in float16; the other types have range enough."""
    return LossScale() if network.compute_dtype == "float16" else None


def apply_if_finite(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[keras.Variable],
    loss_scale: LossScale | None,
) -> tf.Tensor:
    """Moves the variables, unless a gradient overflowed.

    Args:
      optimizer: built.
      gradients: of the loss itself, divided by the factor again.
      variables: of these gradients.
      loss_scale: None for a pass that never skips.

    Returns:
      Scalar bool: whether all gradients were finite; True without a scale.
    """
    if loss_scale is None:
        optimizer.apply(gradients, variables)
        return tf.constant(True)
    finite = tf.reduce_all(
        [tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients]
    )

    def move() -> tf.Tensor:
        optimizer.apply(gradients, variables)
        return tf.constant(True)

    return tf.cond(finite, move, lambda: tf.constant(False))


class SkippedSteps(keras.callbacks.Callback):
    """Says after an epoch how many of its steps a gradient overflowed in.

    Nothing is said of a model without a scale.

    Args:
      title: what is being trained.
    """

    def __init__(self, title: str):
        super().__init__()
        self.title = title

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Finds the scale, if there is one."""
        self._scale = getattr(self.model, "loss_scale", None)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes how many there were before."""
        if self._scale:
            self._before = int(self._scale.skipped_steps)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Prints a line.

        Raises:
          WorkError: when gradients overflow without any scale.
        """
        if not self._scale:
            return
        skipped = int(self._scale.skipped_steps) - self._before
        factor = float(self._scale.factor)
        if skipped and factor == 1:
            raise WorkError(
                f"{self.title}: gradients are too large for float16, also when "
                "the loss is not scaled. Use --precision=mixed_bfloat16 or "
                "float32, and another --run_dir."
            )
        if skipped:
            show_progress(
                f"{self.title}: in {skipped} steps of epoch {epoch + 1} a "
                "gradient overflowed float16 and moved nothing; the loss is "
                f"now scaled by {factor:g}."
            )
