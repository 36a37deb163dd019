"""The perceptron that joins the streams, against NumPy and by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from emotion_nas_tf.networks import fusion


def _probabilities(seed, num, streams, classes):
    generator = np.random.default_rng(seed)
    return softmax(generator.normal(size=(num, streams, classes)), axis=2)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("streams", "classes"), [(2, 4), (3, 5), (1, 3)])
def test_perceptron_is_three_products(streams, classes, activation):
    network = fusion.FusionNetwork(streams, classes, activation)
    inputs = _probabilities(0, 7, streams, classes).astype(np.float32)
    logits = network(inputs)
    weights = network.get_weights()
    width = streams * classes
    assert [w.shape for w in weights] == [
        (width, width),
        (width,),
        (width, classes),
        (classes,),
        (classes, classes),
        (classes,),
    ]
    act = np.tanh if activation == "tanh" else lambda x: np.maximum(x, 0)
    hidden = act(inputs.reshape(7, width) @ weights[0] + weights[1])
    hidden = act(hidden @ weights[2] + weights[3])
    np.testing.assert_allclose(
        logits, hidden @ weights[4] + weights[5], atol=1e-6
    )


def test_the_papers_sizes():
    """(8, 8), (8, 4) and (4, 4), with biases: 72 + 36 + 20."""
    network = fusion.FusionNetwork()
    network.build((None, 2, 4))
    assert network.count_params() == 128
    twin = fusion.FusionNetwork.from_config(network.get_config())
    assert twin.get_config() == network.get_config()


def test_mean_and_product_by_hand():
    one, other = [[0.5, 0.3, 0.2]], [[0.1, 0.6, 0.3]]
    stacked = fusion.stack_streams([np.array(one), np.array(other)])
    np.testing.assert_allclose(fusion.mean_of(stacked), [[0.3, 0.45, 0.25]])
    # .05, .18, .06 of .29.
    np.testing.assert_allclose(
        fusion.product_of(stacked), [[5 / 29, 18 / 29, 6 / 29]]
    )


def test_three_streams_and_a_certain_one():
    stacked = _probabilities(1, 20, 3, 5)
    expected = stacked.prod(axis=1)
    np.testing.assert_allclose(
        fusion.product_of(stacked), expected / expected.sum(1, keepdims=True)
    )
    # Two that exclude each other's class leave the third to say.
    certain = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.3, 0.6, 0.1]]])
    product = fusion.product_of(certain)
    assert np.isfinite(product).all()
    assert product.argmax() == 1


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ([np.ones((2, 2)) / 2, np.ones((3, 2)) / 2], "one shape"),
        ([], "one shape"),
        ([np.array([[2.0, -1.0]])], "must be probabilities"),
        ([np.array([[np.nan, 0.5]])], "must be probabilities"),
        ([np.array([[3.0, 1.0]])], "must be probabilities"),
    ],
)
def test_refuses_what_are_no_probabilities(streams, message):
    with pytest.raises(ValueError, match=message):
        fusion.stack_streams(streams)


def test_refuses_sizes_that_make_no_network():
    with pytest.raises(ValueError, match="num_classes=1"):
        fusion.FusionNetwork(2, 1)
