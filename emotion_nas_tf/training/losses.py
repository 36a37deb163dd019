"""The loss that search and training share, and its class weights."""

import numpy as np
import tensorflow as tf


def class_weights(
    balance: str, labels: np.ndarray, num_classes: int
) -> list[float]:
    """The factor of an utterance's loss, by class.

    Args:
      balance: `weights` for n / (K * n_c), so that every class weighs the
        same and the mean utterance 1; otherwise all factors are 1.
      labels: (n,) classes of the training utterances.
      num_classes: K.

    Returns:
      K factors; under `weights`, 0 for a class without an utterance.
    """
    if balance != "weights":
        return [1.0] * num_classes
    counts = np.bincount(labels, minlength=num_classes)
    return [
        float(len(labels) / (num_classes * count)) if count else 0.0
        for count in counts
    ]


def weighted_cross_entropy(
    labels: tf.Tensor,
    logits: tf.Tensor,
    class_weights: tf.Tensor,
    smoothing: float = 0.0,
) -> tf.Tensor:
    """Mean over the batch of each utterance's weighted cross entropy.

    With label smoothing (Szegedy et al., CVPR 2016) the target of an utterance
    is 1 - e + e / K for its class and e / K for every other. The utterance's
    whole loss, the share of the other classes too, is weighed by the factor
    of its own class: every class keeps its weight, whatever e is.

    Args:
      labels: (batch,) int classes.
      logits: (batch, K).
      class_weights: (K,) factors.
      smoothing: e, from 0 to 1.

    Returns:
      Scalar.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if smoothing:
        of_all_classes = -tf.reduce_mean(tf.nn.log_softmax(logits), -1)
        losses = (1 - smoothing) * losses + smoothing * of_all_classes
    return tf.reduce_mean(losses * tf.gather(class_weights, labels))
