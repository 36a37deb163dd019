"""Flags of sequence features, which the second stream reads."""

from pathlib import Path

from absl import flags

from flags.checkpoint_flags import WAV2VEC_CHECKPOINT
from tfrecords_builder.config import (
    CACHE_DIR,
    SequenceRequest,
)
from tfrecords_builder.errors import UsageError

_SEQUENCE_FEATURES = flags.DEFINE_string(
    "sequence_features",
    "none",
    "Features over time, beside the spectrogram. `wav2vec` (needs "
    "--wav2vec_checkpoint or --download_wav2vec), `logmel`: frames of the "
    "front end, `transformers:NAME`: an encoder of that package, by name or "
    "folder, or `none`.",
)
_DOWNLOAD_WAV2VEC = flags.DEFINE_bool(
    "download_wav2vec",
    False,
    "Download the published wav2vec-large into --cache_dir, once.",
)
_WAV2VEC_OUTPUT = flags.DEFINE_enum(
    "wav2vec_output", "c", ("c", "z"), "The aggregator's or the encoder's."
)
_TRANSFORMERS_LAYER = flags.DEFINE_string(
    "transformers_layer",
    "last",
    "Which hidden states: `last`, `mean` of all, or a layer's number (0: what "
    "enters the first).",
)
_POOL_FRAMES = flags.DEFINE_integer(
    "pool_frames",
    0,
    "Frames averaged into one; 0: as many as make 40 ms, 4 with wav2vec.",
    lower_bound=0,
)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames",
    0,
    "Length to which sequences are padded and cut, in frames before "
    "averaging; 0: the corpus' longest.",
    lower_bound=0,
)
_CACHE_DIR = flags.DEFINE_string(
    "cache_dir",
    str(CACHE_DIR),
    "Keeps downloads, and sequence features by the content of the audio.",
)


def sequence_request() -> SequenceRequest | None:
    """The flags as a request; none when no sequence features are wanted.

    Raises:
      UsageError: for unknown features, or a flag that is of other ones.
    """
    features, _, name = _SEQUENCE_FEATURES.value.partition(":")
    wants_wav2vec = WAV2VEC_CHECKPOINT.value or _DOWNLOAD_WAV2VEC.value
    if wants_wav2vec and not flags.FLAGS["sequence_features"].present:
        features = "wav2vec"
    _refuse_flags_of_others(features)
    if features == "none" and not name:
        return None
    if features not in ("wav2vec", "logmel", "transformers") or (
        bool(name) != (features == "transformers")
    ):
        raise UsageError(
            "--sequence_features must be none, wav2vec, logmel or "
            "transformers:NAME, where NAME is a model's name or folder. "
            f"Received: {_SEQUENCE_FEATURES.value!r}"
        )
    if WAV2VEC_CHECKPOINT.value and _DOWNLOAD_WAV2VEC.value:
        raise UsageError(
            "Give --wav2vec_checkpoint or --download_wav2vec, not both."
        )
    outputs = {
        "wav2vec": _WAV2VEC_OUTPUT.value,
        "transformers": _TRANSFORMERS_LAYER.value,
    }
    output = outputs.get(features, "")
    if features == "transformers" and not (
        output in ("last", "mean") or output.isdecimal()
    ):
        raise UsageError(
            "--transformers_layer must be last, mean or a number. Received: "
            f"{output!r}"
        )
    return SequenceRequest(
        features=features,
        encoder=name or WAV2VEC_CHECKPOINT.value or "",
        output=output,
        pool_frames=_POOL_FRAMES.value,
        max_frames=_MAX_FRAMES.value,
        download=_DOWNLOAD_WAV2VEC.value,
        cache_dir=Path(_CACHE_DIR.value),
    )


# Elsewhere they would do nothing.
_FEATURES_OF = {
    WAV2VEC_CHECKPOINT.name: ("wav2vec",),
    _DOWNLOAD_WAV2VEC.name: ("wav2vec",),
    _WAV2VEC_OUTPUT.name: ("wav2vec",),
    _TRANSFORMERS_LAYER.name: ("transformers",),
    _POOL_FRAMES.name: ("wav2vec", "logmel", "transformers"),
    _MAX_FRAMES.name: ("wav2vec", "logmel", "transformers"),
}


def _refuse_flags_of_others(features: str):
    for name, owners in _FEATURES_OF.items():
        if flags.FLAGS[name].present and features not in owners:
            raise UsageError(
                f"--{name} does nothing with --sequence_features={features}: "
                f"it is for {' and '.join(owners)}. Leave it out."
            )
