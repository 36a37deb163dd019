"""Flags of `emotion_nas_tf.predict`."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import PredictConfig
from tfrecords_builder.errors import UsageError

_MODEL = flags.DEFINE_string(
    "model", None, "Folder of an exported model (SavedModel)."
)
_JSON = flags.DEFINE_bool(
    "json", False, "Print one JSON object a file, each on a line of its own."
)


def predict_config() -> PredictConfig:
    """What the flags ask for.

    Raises:
      UsageError: when --model is missing.
    """
    if not _MODEL.value:
        raise UsageError(
            "Which model? Name its folder with --model. `python -m "
            "emotion_nas_tf.export` and `python -m emotion_nas_tf.run` put it "
            "in RUN_DIR/fold_NUMBER/test_SPEAKER/model."
        )
    return PredictConfig(model=Path(_MODEL.value), json=_JSON.value)
