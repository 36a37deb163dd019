"""The Keras metric, against the NumPy one."""

import keras
import numpy as np

from emotion_nas_tf.training import metrics
from emotion_nas_tf.training.keras_metrics import UnweightedAccuracy


def test_counts_over_batches_not_a_mean_of_batches():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 50)
    logits = generator.normal(size=(50, 4)).astype("float32")
    metric = UnweightedAccuracy(num_classes=4)
    for start in range(0, 50, 8):
        metric.update_state(
            labels[start : start + 8, None],
            logits[start : start + 8],
            sample_weight=np.ones(len(labels[start : start + 8])),
        )
    expected = metrics.unweighted_accuracy(
        metrics.confusion_matrix(labels, logits.argmax(axis=1), 4)
    )
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_is_the_same_metric_after_serialisation():
    metric = UnweightedAccuracy(num_classes=3, name="validation_ua")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert again.num_classes == 3
    assert again.name == "validation_ua"
