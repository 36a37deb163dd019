"""One recurrent cell of a recipe, with its weights."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from emotion_nas_tf.recurrent import step
from emotion_nas_tf.recurrent.plan import make_plan
from emotion_nas_tf.recurrent.recipe import Recipe


@keras.saving.register_keras_serializable("emotion_nas_tf")
class RecipeCell(keras.layers.Layer):
    """One time step: (batch, d) and the states in, (batch, h) out.

    `keras.layers.RNN(RecipeCell(...))` unrolls it; `RecurrentStack` does so
    faster, with the same weights.

    The weights are three variables: `input_kernel` (d, a * h) with a matrix
    for each linear node that reads x, `hidden_kernel` (h, b * h) with one for
    each other input of a linear node, and `bias` (n * h,); in the order of
    the recipe's nodes and of their inputs. All start uniform in
    +-1/sqrt(h), as the benchmark's do.

    Args:
      recipe: the cell, or its mapping as JSON has it.
      hidden_size: h.

    Raises:
      ValueError: when hidden_size is less than 1.
      UsageError: when `Recipe` refuses the mapping.
    """

    def __init__(self, recipe: Recipe | dict, hidden_size: int, **kwargs):
        super().__init__(**kwargs)
        if hidden_size < 1:
            raise ValueError(f"hidden_size must be at least 1: {hidden_size}")
        if not isinstance(recipe, Recipe):
            recipe = Recipe.from_mapping(recipe)
        self.recipe = recipe
        self.hidden_size = hidden_size
        self.plan = make_plan(recipe)

    @property
    def state_size(self) -> list[int]:
        """The size of each hidden state."""
        return [self.hidden_size] * self.recipe.num_states

    @property
    def output_size(self) -> int:
        """The size of the output, which is h_new_0."""
        return self.hidden_size

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs of size `input_shape[-1]`."""
        h = self.hidden_size
        bound = h**-0.5

        def weight(name: str, *shape: int):
            initializer = keras.initializers.RandomUniform(-bound, bound)
            return self.add_weight(
                name=name, shape=shape, initializer=initializer
            )

        inputs = len(self.plan.inputs) * h
        self.input_kernel = weight("input_kernel", input_shape[-1], inputs)
        self.hidden_kernel = weight(
            "hidden_kernel", h, len(self.plan.hidden) * h
        )
        self.bias = weight("bias", len(self.plan.linears) * h)
        self.built = True

    def get_initial_state(self, batch_size: int | tf.Tensor = 1) -> list:
        """Zeros, (batch, h) for each state."""
        return [
            tf.zeros((batch_size, size), self.compute_dtype)
            for size in self.state_size
        ]

    def call(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The output, and the states to hand on."""
        plan = self.plan
        input_kernel, hidden_kernel, bias = self.tensors()
        biases = step.cut(bias, plan.linears)
        from_input = {
            name: product + biases.pop(name)
            for name, product in step.cut(
                tf.matmul(inputs, input_kernel), plan.inputs
            ).items()
        }
        values = step.forward(
            plan,
            from_input,
            biases,
            step.product_matrices(plan, hidden_kernel),
            states,
        )
        new = [values[name] for name in plan.states]
        return new[0], new

    def tensors(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The three weights as tensors: of x, of all else, biases."""
        weights = (self.input_kernel, self.hidden_kernel, self.bias)
        return tuple(tf.convert_to_tensor(weight) for weight in weights)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "recipe": self.recipe.to_mapping(),
            "hidden_size": self.hidden_size,
        }
