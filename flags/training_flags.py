"""Flags of weight training, in the search and afterwards."""

from absl import flags

from emotion_nas_tf.config import CLASS_BALANCES, PRECISIONS, TrainConfig
from flags import seed_flags
from flags.positive import define_positive

_DEFAULTS = TrainConfig()

_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", _DEFAULTS.batch_size, "Utterances a step.", lower_bound=1
)
_LEARNING_RATE = define_positive(
    "learning_rate",
    _DEFAULTS.learning_rate,
    "Of SGD in epoch 0; a cosine lowers it.",
)
_WEIGHT_DECAY = flags.DEFINE_float(
    "weight_decay", _DEFAULTS.weight_decay, "Of SGD.", lower_bound=0.0
)
_CLASS_BALANCE = flags.DEFINE_enum(
    "class_balance",
    _DEFAULTS.class_balance,
    CLASS_BALANCES,
    "Against class imbalance: weigh the loss, draw classes equally often, or "
    "nothing.",
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    _DEFAULTS.precision,
    PRECISIONS,
    "Of activations and convolutions while a network is searched or trained; "
    "weights, statistics and the loss keep float32, and so does what is tested "
    "and exported. The mixed ones are for GPUs, slower on most CPUs.",
)
_DETERMINISTIC = flags.DEFINE_bool(
    "deterministic",
    _DEFAULTS.deterministic,
    "Make two runs on one machine equal, bit by bit. Slower.",
)
_CHECKPOINT_MINUTES = flags.DEFINE_float(
    "checkpoint_minutes",
    _DEFAULTS.checkpoint_minutes,
    "Keep the state inside an epoch at least this often, to go on from after "
    "a kill; at the end of an epoch it is kept anyway. 0: after every step.",
    lower_bound=0.0,
)


def training_settings() -> dict:
    """The fields of `TrainConfig` that search and training share."""
    return {
        "batch_size": _BATCH_SIZE.value,
        "learning_rate": _LEARNING_RATE.value,
        "weight_decay": _WEIGHT_DECAY.value,
        "class_balance": _CLASS_BALANCE.value,
        "precision": _PRECISION.value,
        "seed": seed_flags.SEED.value,
        "deterministic": _DETERMINISTIC.value,
        "checkpoint_minutes": _CHECKPOINT_MINUTES.value,
    }
