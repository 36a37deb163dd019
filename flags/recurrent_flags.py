"""Flags that say how large the recurrent networks are, and of which kind."""

from absl import flags

from emotion_nas_tf.config import RecurrentConfig

_DEFAULTS = RecurrentConfig()

_NUM_LAYERS = flags.DEFINE_integer(
    "num_layers", _DEFAULTS.num_layers, "Recurrent layers L.", lower_bound=1
)
_HIDDEN_SIZE = flags.DEFINE_integer(
    "hidden_size",
    _DEFAULTS.hidden_size,
    "Size h of each hidden state.",
    lower_bound=1,
)
_MASKED = flags.DEFINE_bool(
    "masked",
    _DEFAULTS.masked,
    "Compute and attend over an utterance's real frames alone. --nomasked: "
    "over the padding to the longest utterance of the corpus too, as the paper "
    "has it.",
)
_STANDARDIZE = flags.DEFINE_bool(
    "standardize",
    _DEFAULTS.standardize,
    "Bring each feature to mean 0 and deviation 1 over the training "
    "speakers' frames. Default: for log-mel features.",
)


def recurrent_config() -> RecurrentConfig:
    """The size that the flags ask for; that of a frame is the records'."""
    return RecurrentConfig(
        num_layers=_NUM_LAYERS.value,
        hidden_size=_HIDDEN_SIZE.value,
        masked=_MASKED.value,
        standardize=_STANDARDIZE.value,
    )
