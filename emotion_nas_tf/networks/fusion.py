"""Decision-level fusion: class probabilities of all streams -> one answer.

    stream 1  p(angry) p(happy) ...  \\
                                      (8, 8) tanh (8, 4) tanh (4, 4) -> logits
    stream 2  p(angry) p(happy) ...  /

The paper (section 3.3) has two streams of four classes: layers of (8, 8),
(8, 4) and (4, 4) inputs and outputs. With S streams of K classes they are
(S K, S K), (S K, K) and (K, K). Which activation is between them it does not
say: with so few units, tanh, of which none can die.
"""

from collections.abc import Sequence

import keras
import numpy as np

# Below this, a probability counts as this: a product's logarithm is finite.
SMALLEST = 1e-12


@keras.saving.register_keras_serializable("emotion_nas_tf")
class FusionNetwork(keras.Model):
    """The perceptron of the paper.

    Input: `(batch, streams, classes)` probabilities. Output: `(batch, classes)`
    logits.

    Args:
      num_streams: S.
      num_classes: K.
      activation: after the first and the second layer.
    """

    def __init__(
        self,
        num_streams: int = 2,
        num_classes: int = 4,
        activation: str = "tanh",
        **kwargs,
    ):
        if num_streams < 1 or num_classes < 2:
            raise ValueError(
                "FusionNetwork needs at least one stream and two classes. "
                f"Received: num_streams={num_streams}, "
                f"num_classes={num_classes}"
            )
        super().__init__(**kwargs)
        self.num_streams, self.num_classes = num_streams, num_classes
        self.activation = activation
        self.flatten = keras.layers.Flatten(name="flatten")
        self.first = keras.layers.Dense(
            num_streams * num_classes, activation, name="first"
        )
        self.second = keras.layers.Dense(num_classes, activation, name="second")
        self.classifier = keras.layers.Dense(num_classes, name="classifier")

    def build(self, input_shape: tuple) -> None:
        """Makes the weights."""
        width = self.num_streams * self.num_classes
        self.flatten.build((None, self.num_streams, self.num_classes))
        self.first.build((None, width))
        self.second.build((None, width))
        self.classifier.build((None, self.num_classes))
        self.built = True

    def call(self, probabilities):
        """`(batch, streams, classes)` -> `(batch, classes)` logits."""
        hidden = self.second(self.first(self.flatten(probabilities)))
        return self.classifier(hidden)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_streams": self.num_streams,
            "num_classes": self.num_classes,
            "activation": self.activation,
        }


def mean_of(probabilities: np.ndarray) -> np.ndarray:
    """(n, streams, classes) -> (n, classes): the streams' mean."""
    return probabilities.mean(axis=1)


def product_of(probabilities: np.ndarray) -> np.ndarray:
    """(n, streams, classes) -> (n, classes): the product, summing to 1.

    What Bayes' rule gives where the streams' errors are independent and the
    classes equally likely.
    """
    logs = np.log(np.maximum(probabilities, SMALLEST)).sum(axis=1)
    product = np.exp(logs - logs.max(axis=1, keepdims=True))
    return product / product.sum(axis=1, keepdims=True)


def stack_streams(streams: Sequence[np.ndarray]) -> np.ndarray:
    """Some (n, classes) probabilities -> (n, streams, classes) float64.

    Raises:
      ValueError: when they are none, differ in shape, or are no
        probabilities.
    """
    shapes = {np.shape(stream) for stream in streams}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(
            "streams must have one shape, (utterances, classes). Received: "
            f"{sorted(shapes)}"
        )
    stacked = np.stack(streams, axis=1).astype(np.float64)
    sums = stacked.sum(axis=2)
    if (stacked < 0).any() or not np.allclose(sums, 1, atol=1e-4):
        raise ValueError(
            "streams must be probabilities: none below 0, and 1 in all for "
            "every utterance."
        )
    return stacked
