"""Flags that say how large the spectrogram networks are."""

from absl import flags

from emotion_nas_tf.config import RELAXATIONS, NetworkConfig

_DEFAULTS = NetworkConfig()

_NUM_CELLS = flags.DEFINE_integer(
    "num_cells", _DEFAULTS.num_cells, "Cells L in a row.", lower_bound=3
)
_NUM_CHANNELS = flags.DEFINE_integer(
    "num_channels",
    _DEFAULTS.num_channels,
    "Channels C of the first cell's nodes.",
    lower_bound=2,
)
_RELAXATION = flags.DEFINE_enum(
    "relaxation",
    _DEFAULTS.relaxation,
    RELAXATIONS,
    "How alpha weighs the search network's operations: as the paper, each for "
    "itself (Fair DARTS), or one drawn a step (GDAS).",
)


def network_config() -> NetworkConfig:
    """The size that the flags ask for."""
    return NetworkConfig(
        num_cells=_NUM_CELLS.value,
        num_channels=_NUM_CHANNELS.value,
        relaxation=_RELAXATION.value,
    )
