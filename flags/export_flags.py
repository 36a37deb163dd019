"""Flags of `emotion_nas_tf.export`, beside those of the protocol."""

import re
from pathlib import Path

from absl import flags

from emotion_nas_tf.config import ExportConfig
from flags import checkpoint_flags
from tfrecords_builder.errors import UsageError

_SYSTEM = flags.DEFINE_string(
    "system",
    None,
    "What to export: a network of one of the streams (retrained, recipe, ...) "
    "or a fusion of both (fusion, fusion_mean, fusion_product). Default: "
    "fusion where it was trained, otherwise retrained, otherwise recipe.",
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder of the SavedModel. Default: "
    "RUN_DIR/fold_NUMBER/test_SPEAKER/model.",
)
_CLIPS = flags.DEFINE_list(
    "clips",
    [],
    "Audio files, comma-separated, on which the reloaded model must answer "
    "as the trained one. Default: recordings of the test speaker; where they "
    "have gone, generated waveforms.",
)
_SERVING_DIR = flags.DEFINE_string(
    "serving_dir",
    None,
    "Folder of models for TensorFlow Serving: the SavedModel goes to "
    "SERVING_DIR/MODEL_NAME/VERSION instead.",
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name", "emotion", "The model's name in --serving_dir."
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "The model's version in --serving_dir, never one that is there. Default: "
    "one more than the latest.",
    lower_bound=1,
)


def export_config() -> ExportConfig:
    """What the flags ask for.

    Raises:
      UsageError: when flags contradict each other.
    """
    for flag in (_MODEL_NAME, _VERSION):
        if flags.FLAGS[flag.name].present and not _SERVING_DIR.value:
            raise UsageError(
                f"--{flag.name} does nothing without --serving_dir."
            )
    if _OUTPUT.value and _SERVING_DIR.value:
        raise UsageError("Give --output or --serving_dir, not both.")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", _MODEL_NAME.value):
        raise UsageError(
            "--model_name becomes a folder and a part of an address: letters, "
            f"digits, `_`, `-` and `.`. Received: {_MODEL_NAME.value!r}"
        )
    return ExportConfig(
        system=_SYSTEM.value,
        output=_path(_OUTPUT.value),
        clips=tuple(Path(clip) for clip in _CLIPS.value),
        serving_dir=_path(_SERVING_DIR.value),
        model_name=_MODEL_NAME.value,
        version=_VERSION.value,
        wav2vec_checkpoint=checkpoint_flags.checkpoint(),
    )


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None
