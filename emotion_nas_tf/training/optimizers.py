"""The paper's two optimisers, as the published search runs them.

Keras' SGD folds the learning rate into the velocity and decouples the weight
decay; its Adam adds epsilon before the bias correction. Neither is what the
published numbers come from, so both rules are written out here.
"""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from emotion_nas_tf.training.replicas import mean_over_replicas


class _SharedOptimizer(keras.optimizers.Optimizer):
    """Moves the variables of several replicas by the mean of their gradients.

    Keras clips each replica's gradient by itself and adds them up afterwards;
    here the mean is taken first, so that a clip sees the gradient of the whole
    batch. Without `tf.distribute` it is Keras' optimiser.
    """

    def apply(self, grads, trainable_variables=None) -> None:
        """Moves the variables; the gradients are those of this replica."""
        super().apply(mean_over_replicas(grads), trainable_variables)

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Moves one variable."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if replicas > 1:
            # Keras' sum of as many equal means.
            gradient = gradient / replicas
        self.move(gradient, variable, learning_rate)


class MomentumSGD(_SharedOptimizer):
    """v = momentum * v + (g + decay * w); w = w - rate * v.

    Args:
      learning_rate: rate.
      momentum: share of the old direction that is kept.
      weight_decay: added to the gradient after clipping (coupled).
      **kwargs: e.g. `global_clipnorm`.
    """

    def __init__(
        self,
        learning_rate: float = 0.025,
        momentum: float = 0.9,
        weight_decay: float = 3e-4,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.coupled_decay = weight_decay

    def build(self, variables: list) -> None:
        """Creates a direction for each variable."""
        if self.built:
            return
        super().build(variables)
        self.directions = [
            self.add_variable_from_reference(variable, name="direction")
            for variable in variables
        ]

    def move(self, gradient, variable, learning_rate) -> None:
        """Moves one variable."""
        direction = self.directions[self._get_variable_index(variable)].value
        # One node in place of seven, for each of hundreds of variables.
        tf.raw_ops.ResourceApplyMomentum(
            var=variable.handle,
            accum=direction.handle,
            lr=ops.cast(learning_rate, variable.dtype),
            grad=self._decayed(gradient, variable),
            momentum=self.momentum,
        )

    def next_values(self, gradients: Sequence, variables: Sequence) -> list:
        """Where a step without clip would take the variables.

        Nothing is moved, neither the variables nor their directions.
        """
        rate = ops.convert_to_tensor(self.learning_rate)
        return [
            variable
            - ops.cast(rate, variable.dtype)
            * self._next_direction(gradient, variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]

    def _next_direction(self, gradient, variable):
        direction = self.directions[self._get_variable_index(variable)]
        return self.momentum * direction + self._decayed(gradient, variable)

    def _decayed(self, gradient, variable):
        gradient = ops.cast(gradient, variable.dtype)
        return gradient + self.coupled_decay * variable

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "weight_decay": self.coupled_decay,
        }


class CoupledAdam(_SharedOptimizer):
    """Adam (Kingma and Ba 2015) with decay added to the gradient.

    Args:
      learning_rate: rate.
      beta_1: memory of the mean.
      beta_2: memory of the square.
      epsilon: added after the bias correction.
      weight_decay: L2 factor (coupled).
      **kwargs: of the base class.
    """

    def __init__(
        self,
        learning_rate: float = 3e-4,
        beta_1: float = 0.5,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 1e-3,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = epsilon
        self.coupled_decay = weight_decay

    def build(self, variables: list) -> None:
        """Creates the two moments for each variable."""
        if self.built:
            return
        super().build(variables)
        self.means, self.squares = (
            [
                self.add_variable_from_reference(variable, name=name)
                for variable in variables
            ]
            for name in ("mean", "square")
        )

    def move(self, gradient, variable, learning_rate) -> None:
        """Moves one variable."""
        index = self._get_variable_index(variable)
        mean, square = self.means[index], self.squares[index]
        dtype = variable.dtype
        rate = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype) + self.coupled_decay * variable
        self.assign(mean, self.beta_1 * mean + (1 - self.beta_1) * gradient)
        self.assign(
            square,
            self.beta_2 * square + (1 - self.beta_2) * ops.square(gradient),
        )
        mean_hat = mean / self._bias_correction(self.beta_1, dtype)
        square_hat = square / self._bias_correction(self.beta_2, dtype)
        self.assign_sub(
            variable, rate * mean_hat / (ops.sqrt(square_hat) + self.epsilon)
        )

    def _bias_correction(self, beta: float, dtype: str):
        # 1 - .999 keeps only five digits in single precision.
        step = ops.cast(self.iterations + 1, "float64")
        power = ops.power(ops.convert_to_tensor(beta, "float64"), step)
        return ops.cast(1 - power, dtype)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "weight_decay": self.coupled_decay,
        }


def cosine_learning_rate(
    epoch: int, epochs: int, first: float, last: float
) -> float:
    """The rate of an epoch: exactly `first` in epoch 0, towards `last`."""
    return last + (first - last) * (1 + math.cos(math.pi * epoch / epochs)) / 2
