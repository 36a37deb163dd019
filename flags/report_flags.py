"""Flags of `emotion_nas_tf.report`: of the protocol's, the run alone."""

from pathlib import Path

from absl import flags

from flags import protocol_flags

# Named, because importing it is what defines --run_dir.
_DEFINED_IN = protocol_flags


def run_dir() -> Path:
    """The run's folder."""
    return Path(flags.FLAGS.run_dir)
