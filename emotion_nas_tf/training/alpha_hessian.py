"""The sharpness of the validation loss in alpha (Zela et al. 2020).

Where the dominant eigenvalue of the Hessian grows, a search is running into a
sharp minimum: its cells lose much when they are made discrete.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from emotion_nas_tf.data.pipeline import Split
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.training.losses import weighted_cross_entropy

# Of the direction's unit length: an alpha moves by about 1e-2 / sqrt(224).
_STEP = 1e-2
_ITERATIONS = 20
# Of a product's length, what does not point along its direction; the
# eigenvalue's error is about the square.
_TOLERANCE = 0.1


def dominant_eigenvalue(
    gradient: Callable[[np.ndarray], np.ndarray], size: int
) -> float:
    """The eigenvalue of largest magnitude, by power iteration.

    A product with the Hessian is a central difference of gradients, so the
    function needs to be differentiated once only.

    Args:
      gradient: of the function at a displacement (size,) from the point.
      size: of the space.

    Returns:
      The eigenvalue, with its sign, to about a per cent; where the second is
      nearly as large, a value between the two.
    """
    # Always the same direction: epochs are to be compared.
    direction = np.random.default_rng(0).normal(size=size)
    eigenvalue = 0.0
    for _ in range(_ITERATIONS):
        direction /= np.linalg.norm(direction)
        step = _STEP * direction
        ahead, behind = gradient(step), gradient(-step)
        product = (np.asarray(ahead, np.float64) - behind) / (2 * _STEP)
        eigenvalue = float(direction @ product)
        length = np.linalg.norm(product)
        rest = np.linalg.norm(product - eigenvalue * direction)
        if rest <= _TOLERANCE * length:
            break
        direction = product
    return eigenvalue


class AlphaHessian:
    """Dominant eigenvalue of the loss of one fixed batch in alpha.

    The network is evaluated with its running statistics; nothing of it
    changes.

    Args:
      network: its alphas as they are when called.
      split: the batch is spread evenly over it.
      batch_size: utterances.
      class_weights: (classes,) factors of an utterance's loss.
    """

    def __init__(
        self,
        network: SearchNetwork,
        split: Split,
        batch_size: int,
        class_weights: tf.Tensor,
    ):
        self.network = network
        count = min(batch_size, len(split.labels))
        chosen = np.linspace(0, len(split.labels) - 1, count).astype(int)
        self._gradients = tf.function(
            lambda: self._differentiate(
                tf.constant(split.features[chosen]),
                tf.constant(split.labels[chosen]),
                class_weights,
            )
        )

    def __call__(self) -> float:
        """The eigenvalue now."""
        alphas = self.network.architecture_weights
        present = [alpha.numpy() for alpha in alphas]
        sizes = np.cumsum([value.size for value in present])

        def gradient(displacement: np.ndarray) -> np.ndarray:
            parts = np.split(displacement, sizes[:-1])
            for alpha, value, part in zip(alphas, present, parts, strict=True):
                alpha.assign(value + part.reshape(value.shape))
            return np.concatenate(
                [g.numpy().ravel() for g in self._gradients()]
            )

        try:
            return dominant_eigenvalue(gradient, int(sizes[-1]))
        finally:
            for alpha, value in zip(alphas, present, strict=True):
                alpha.assign(value)

    def _differentiate(self, x, y, class_weights) -> list[tf.Tensor]:
        values = [alpha.value for alpha in self.network.architecture_weights]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            logits = self.network(x, training=False)
            loss = weighted_cross_entropy(y, logits, class_weights)
        return tape.gradient(loss, values)
