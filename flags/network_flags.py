"""Flags that say how large the spectrogram networks are."""

from absl import flags

from emotion_nas_tf.config import RELAXATIONS, NetworkConfig
from tfrecords_builder.errors import UsageError

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
_PARTIAL_CHANNELS = flags.DEFINE_integer(
    "partial_channels",
    _DEFAULTS.partial_channels,
    "K: the search network mixes a K-th of every node's channels (PC-DARTS), "
    "which saves time and memory; 1 for all.",
    lower_bound=1,
)


def network_config() -> NetworkConfig:
    """The network that the flags ask for.

    Raises:
      UsageError: when the channels cannot be divided as asked.
    """
    if _NUM_CHANNELS.value % _PARTIAL_CHANNELS.value:
        raise UsageError(
            f"--num_channels={_NUM_CHANNELS.value} cannot be divided by "
            f"--partial_channels={_PARTIAL_CHANNELS.value}. Change one of them."
        )
    return NetworkConfig(
        num_cells=_NUM_CELLS.value,
        num_channels=_NUM_CHANNELS.value,
        relaxation=_RELAXATION.value,
        partial_channels=_PARTIAL_CHANNELS.value,
    )
