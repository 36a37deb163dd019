"""The flag of the programs that need wav2vec's weights."""

from pathlib import Path

from absl import flags

WAV2VEC_CHECKPOINT = flags.DEFINE_string(
    "wav2vec_checkpoint",
    None,
    "A wav2vec 1.0 checkpoint: fairseq's, or one of "
    "tfrecords_builder.pretrain_wav2vec.",
)


def checkpoint() -> Path | None:
    """The file that was named, if any."""
    return Path(WAV2VEC_CHECKPOINT.value) if WAV2VEC_CHECKPOINT.value else None
