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
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Write a CSV file instead of printing: a row for each recording. If it is "
    "there already, rows of this model and of unchanged recordings are kept: "
    "the same command goes on after an interruption.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 16, "Recordings computed together.", lower_bound=1
)


def predict_config() -> PredictConfig:
    """What the flags ask for.

    Raises:
      UsageError: when --model is missing, or flags contradict each other.
    """
    if not _MODEL.value:
        raise UsageError(
            "Which model? Name its folder with --model. `python -m "
            "emotion_nas_tf.export` and `python -m emotion_nas_tf.run` put it "
            "in RUN_DIR/fold_NUMBER/test_SPEAKER/model."
        )
    if _JSON.value and _OUTPUT.value:
        raise UsageError("--output writes CSV: leave --json out.")
    return PredictConfig(
        model=Path(_MODEL.value),
        json=_JSON.value,
        output=Path(_OUTPUT.value) if _OUTPUT.value else None,
        batch_size=_BATCH_SIZE.value,
    )
