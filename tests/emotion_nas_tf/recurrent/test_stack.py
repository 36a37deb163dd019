"""Cells and stacks: against published numbers, Keras and autodiff."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from emotion_nas_tf.recurrent.cell import RecipeCell
from emotion_nas_tf.recurrent.generator import RecipeSpace, generate
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.recurrent.stack import RecurrentStack


@pytest.fixture(scope="module")
def published(shared_dir):
    return np.load(shared_dir / "parity/rnn_parity.npz")


def weights_of(published, recipe, stack, prefix):
    """The published arrays, laid out as our variables are."""
    inputs = {node.name: node.inputs for node in recipe.nodes}

    def matrix(layer, node, source):
        place = inputs[node].index(source)
        return published[f"{prefix}/layer{layer}/{node}/weights.{place}"].T

    arrays = []
    for i, cell in enumerate(stack.cells):
        plan = cell.plan
        arrays += [
            np.hstack([matrix(i, name, "x") for name in plan.inputs]),
            np.hstack([matrix(i, *pair) for pair in plan.hidden]),
            np.hstack(
                [published[f"{prefix}/layer{i}/{n}/bias"] for n in plan.linears]
            ),
        ]
    return arrays


@pytest.mark.parametrize(
    ("name", "compiled"),
    [
        ("lstm", False),
        ("lstm", True),
        ("real_1008624", False),
        # Three hidden states.
        ("real_1013301", False),
        ("real_1013301", True),
        # One.
        ("real_1003208", False),
    ],
)
@pytest.mark.parametrize("num_layers", [1, 2])
def test_published_outputs_states_and_gradients(
    published, name, compiled, num_layers
):
    fields = json.loads(published["recipes_json"].tobytes())[name]
    recipe = Recipe.from_mapping(fields["recipe"])
    stack = RecurrentStack(recipe, num_layers, 8, compiled)
    stack.build((None, None, 16))
    at = f"{name}/L{num_layers}"
    stack.set_weights(weights_of(published, recipe, stack, f"{at}/w"))

    def near(ours, theirs):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)

    inputs = tf.constant(published[f"{at}/x"].swapaxes(0, 1))
    layers, states = range(num_layers), range(recipe.num_states)
    given = [
        [tf.constant(published[f"{at}/rand/h0/layer{i}/h{k}"]) for k in states]
        for i in layers
    ]
    for kind, initial in (("zero", None), ("rand", given)):
        outputs, last = stack(
            inputs, initial_states=initial, return_states=True
        )
        near(outputs, published[f"{at}/{kind}/out"].swapaxes(0, 1))
        for i in layers:
            for k in states:
                near(last[i][k], published[f"{at}/{kind}/hT/layer{i}/h{k}"])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(stack(inputs) ** 2)
    found = tape.gradient(loss, [inputs, *stack.trainable_variables])
    near(found[0], published[f"{at}/zero/grad_x"].swapaxes(0, 1))
    wanted = weights_of(published, recipe, stack, f"{at}/zero/grad_w")
    for ours, theirs in zip(found[1:], wanted, strict=True):
        near(ours, theirs)


@pytest.mark.parametrize(
    "recipe",
    [built_in("table4"), *(generate(RecipeSpace(n, 14), n) for n in (1, 3))],
    ids=["table4", "one state", "three states"],
)
def test_whole_sequences_equal_single_steps(recipe):
    """More frames than a chunk has; the gradients against autodiff's."""
    keras.utils.set_random_seed(0)
    stack = RecurrentStack(recipe, 1, 4, compiled=False, dtype="float64")
    stack.build((None, None, 3))
    (cell,) = stack.cells
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=(2, 40, 3)))
    states = [
        tf.constant(generator.normal(size=(2, 4))) for _ in cell.state_size
    ]
    # Weighted, lest gradients cancel.
    weights = tf.constant(generator.normal(size=(2, 40, 4)))

    def loss(outputs, last):
        return tf.reduce_sum(outputs * weights) + sum(
            (k + 1) * tf.reduce_sum(state) for k, state in enumerate(last)
        )

    def whole():
        outputs, (last,) = stack(
            inputs, initial_states=[states], return_states=True
        )
        return outputs, last

    def stepwise():
        now, outputs = states, []
        for t in range(inputs.shape[1]):
            output, now = cell(inputs[:, t], now)
            outputs.append(output)
        return tf.stack(outputs, 1), now

    variables = [inputs, *states, *cell.trainable_variables]
    results = []
    for function in (whole, stepwise):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            outputs, last = function()
            total = loss(outputs, last)
        results.append([outputs, *last, *tape.gradient(total, variables)])
    for ours, theirs in zip(*results, strict=True):
        # TensorFlow keeps the slope of its leaky ReLU in single precision.
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def test_lstm_and_gru_equal_keras():
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=(2, 5, 3)), tf.float32)
    blocks = {
        # Ours are input, forget, output, candidate; Keras has i, f, c, o.
        "lstm": (keras.layers.LSTM, (0, 1, 3, 2)),
        # Ours are reset, update, candidate; Keras has z, r, h.
        "gru": (keras.layers.GRU, (1, 0, 2)),
    }
    for name, (layer, order) in blocks.items():
        stack = RecurrentStack(built_in(name), 1, 4, compiled=False)
        outputs = stack(inputs)
        options = {"reset_after": False} if name == "gru" else {}
        theirs = layer(4, return_sequences=True, **options)
        theirs.build(inputs.shape)
        theirs.set_weights(
            [
                np.concatenate(
                    [np.split(array, len(order), -1)[i] for i in order], -1
                )
                for array in stack.get_weights()
            ]
        )
        np.testing.assert_allclose(outputs, theirs(inputs), atol=1e-6)
        # Keras' own loop, around our cell.
        unrolled = keras.layers.RNN(stack.cells[0], return_sequences=True)
        np.testing.assert_allclose(outputs, unrolled(inputs), atol=1e-6)


def test_parts_of_a_batch_are_put_together_again():
    """With a batch for more than one core."""
    stack = RecurrentStack(built_in("gru"), 2, 4, compiled=False)
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=(33, 5, 3)), tf.float32)
    initial = [[tf.constant(generator.normal(size=(33, 4)), tf.float32)]] * 2
    outputs, last = stack(inputs, initial_states=initial, return_states=True)
    for rows in (slice(0, 8), slice(15, 20), slice(32, 33)):
        states = [[state[rows] for state in layer] for layer in initial]
        wanted, ends = stack(
            inputs[rows], initial_states=states, return_states=True
        )
        np.testing.assert_allclose(outputs[rows], wanted, atol=1e-6)
        np.testing.assert_allclose(last[1][0][rows], ends[1][0], atol=1e-6)


def test_states_are_those_of_the_last_real_frame():
    stack = RecurrentStack(built_in("lstm"), 2, 4, compiled=False)
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=(2, 9, 3)), tf.float32)
    _, both = stack(inputs, lengths=tf.constant([9, 4]), return_states=True)
    for row, frames in ((0, 9), (1, 4)):
        _, alone = stack(inputs[row : row + 1, :frames], return_states=True)
        for ours, theirs in zip(both, alone, strict=True):
            for state, expected in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(state[row], expected[0], atol=1e-6)


def test_sizes_equal_the_published(shared_dir):
    fixture = json.loads((shared_dir / "parity/rnn_params.json").read_text())
    # The formula is tested on all of them.
    for fields in fixture["recipes"][::5]:
        recipe = Recipe.from_mapping(fields["recipe"])
        for num_layers, size in ((1, 128), (2, 256)):
            stack = RecurrentStack(recipe, num_layers, size)
            stack.build((None, None, 512))
            key = f"rnn_params_L{num_layers}_h{size}_in512"
            assert stack.count_params() == fields[key], fields["name"]


def test_weights_start_as_the_benchmarks_do():
    keras.utils.set_random_seed(0)
    cell = RecipeCell(built_in("gru"), 16)
    cell.build((None, 40))
    for weight in cell.get_weights():
        assert -0.25 <= weight.min() < -0.2
        assert 0.2 < weight.max() <= 0.25


def test_configurations_rebuild_the_layers():
    for layer in (
        RecipeCell(built_in("gru"), 3),
        RecurrentStack(built_in("gru"), 1, 3, compiled=False),
    ):
        again = type(layer).from_config(
            json.loads(json.dumps(layer.get_config()))
        )
        assert again.recipe == layer.recipe
        assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="hidden_size must be at least 1"):
        RecipeCell(built_in("gru"), 0)
    with pytest.raises(ValueError, match="num_layers must be at least 1"):
        RecurrentStack(built_in("gru"), 0)
