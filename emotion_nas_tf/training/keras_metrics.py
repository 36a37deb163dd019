"""UA as a Keras metric, for `compile` and for custom training steps."""

import keras


@keras.saving.register_keras_serializable(package="emotion_nas_tf")
class UnweightedAccuracy(keras.metrics.Metric):
    """Mean recall of the classes seen since the last reset.

    The mean over an epoch of each batch's UA would not be the epoch's UA; so
    the metric counts right and true examples of each class and divides once.

    Args:
      num_classes: K.
      name: as in `keras.metrics.Metric`.
      dtype: as in `keras.metrics.Metric`.
    """

    def __init__(
        self, num_classes: int, name: str = "ua", dtype: str | None = None
    ):
        super().__init__(name=name, dtype=dtype)
        if num_classes < 1:
            raise ValueError(
                f"num_classes must be at least 1. Received: {num_classes}"
            )
        self.num_classes = num_classes
        # float32 whatever the policy: half precision stops counting at 2048.
        self.right, self.total = (
            self.add_variable(
                shape=(num_classes,),
                initializer="zeros",
                dtype="float32",
                name=part,
            )
            for part in ("right", "total")
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch.

        Args:
          y_true: (batch,) or (batch, 1) classes.
          y_pred: (batch, K) probabilities or logits.
          sample_weight: ignored; weights belong to the loss, and a recall of
            weighted examples would not be comparable.
        """
        truth = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
        predicted = keras.ops.cast(keras.ops.argmax(y_pred, axis=-1), "int32")
        one_hot = keras.ops.one_hot(truth, self.num_classes, dtype="float32")
        hit = keras.ops.cast(keras.ops.equal(truth, predicted), "float32")
        self.total.assign_add(keras.ops.sum(one_hot, axis=0))
        self.right.assign_add(keras.ops.sum(one_hot * hit[:, None], axis=0))

    def result(self):
        """Scalar in [0, 1]; 0 before any example."""
        seen = keras.ops.cast(self.total > 0, "float32")
        recalls = self.right / keras.ops.maximum(self.total, 1.0)
        return keras.ops.sum(recalls * seen) / keras.ops.maximum(
            keras.ops.sum(seen), 1.0
        )

    def get_config(self) -> dict:
        """Constructor arguments."""
        return {**super().get_config(), "num_classes": self.num_classes}
