"""Flags that say what the recurrent networks are, and how large."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import RecurrentConfig

_DEFAULTS = RecurrentConfig()

_RECIPE = flags.DEFINE_string(
    "recipe",
    None,
    "A file with one recipe, or lstm, gru, rnn or table4: the recurrent cell.",
)
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


def recipe_path() -> Path | None:
    """The recipe file, or the name of a built-in one, if one was named."""
    return Path(_RECIPE.value) if _RECIPE.value else None


def recurrent_config() -> RecurrentConfig:
    """The size that the flags ask for; that of a frame is the records'."""
    return RecurrentConfig(
        num_layers=_NUM_LAYERS.value,
        hidden_size=_HIDDEN_SIZE.value,
        masked=_MASKED.value,
        standardize=_STANDARDIZE.value,
    )
