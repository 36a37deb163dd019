"""Flags of `emotion_nas_tf.export`, beside those of the protocol."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import ExportConfig
from emotion_nas_tf.systems import SPECTROGRAM, systems_of

_SYSTEM = flags.DEFINE_enum(
    "system",
    "retrained",
    systems_of(SPECTROGRAM),
    "The network to export.",
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


def export_config() -> ExportConfig:
    """What the flags ask for."""
    return ExportConfig(
        system=_SYSTEM.value,
        output=Path(_OUTPUT.value) if _OUTPUT.value else None,
        clips=tuple(Path(clip) for clip in _CLIPS.value),
    )
