"""Flags of `emotion_nas_tf.describe`."""

from absl import flags

from flags import (
    genotype_flags,
    input_size_flags,
    network_flags,
    recipe_flags,
    recurrent_flags,
)
from tfrecords_builder.errors import UsageError

_STREAM = flags.DEFINE_enum(
    "stream", "spectrogram", ("spectrogram", "wav2vec"), "Whose network."
)
_NUM_CLASSES = flags.DEFINE_integer(
    "num_classes", 4, "Emotions.", lower_bound=2
)

# With another stream they would do nothing.
_MODULES_OF = {
    "spectrogram": (genotype_flags, network_flags),
    "wav2vec": (recipe_flags, recurrent_flags, input_size_flags),
}


def num_classes() -> int:
    """How many classes the network tells apart."""
    return _NUM_CLASSES.value


def stream() -> str:
    """Which stream's network is described.

    Raises:
      UsageError: when a flag is given that is of another stream.
    """
    for owner, modules in _MODULES_OF.items():
        for module in modules if owner != _STREAM.value else ():
            for flag in flags.FLAGS.get_flags_for_module(module.__name__):
                if flag.present:
                    raise UsageError(
                        f"--{flag.name} does nothing with "
                        f"--stream={_STREAM.value}: it is for "
                        f"--stream={owner}. Leave it out."
                    )
    return _STREAM.value
