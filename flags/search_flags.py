"""Flags of the architecture search."""

from absl import flags

from emotion_nas_tf.config import (
    ARCHITECTURE_SPLITS,
    DERIVATIONS,
    DISTRIBUTIONS,
    ORDERS,
    SearchConfig,
)
from flags import network_flags, training_flags
from flags.positive import define_positive
from tfrecords_builder.errors import UsageError

_DEFAULTS = SearchConfig()

_EPOCHS = flags.DEFINE_integer(
    "search_epochs", _DEFAULTS.epochs, "Epochs of the search.", lower_bound=1
)
_ARCHITECTURE_LEARNING_RATE = define_positive(
    "architecture_learning_rate",
    _DEFAULTS.architecture_learning_rate,
    "Of Adam, for alpha.",
)
_ARCHITECTURE_SPLIT = flags.DEFINE_enum(
    "architecture_split",
    _DEFAULTS.architecture_split,
    ARCHITECTURE_SPLITS,
    "Whose utterances move alpha: the validation speaker's, as in the paper, "
    "or one half of the training speakers'.",
)
_ORDER = flags.DEFINE_enum(
    "order",
    _DEFAULTS.order,
    ORDERS,
    "Of the approximation of alpha's gradient: at the present weights, or at "
    "those of the next step (slower).",
)
_DERIVATION = flags.DEFINE_enum(
    "derivation",
    _DEFAULTS.derivation,
    DERIVATIONS,
    "What the found cells keep: per node the two edges with the strongest "
    "operations, as published DARTS does, or the strongest operation on every "
    "edge, `none` being no edge (Figure 2 of the paper, to the letter).",
)
_MICRO_BATCHES = flags.DEFINE_integer(
    "micro_batches",
    _DEFAULTS.micro_batches,
    "Equal parts of a search batch that are in memory one at a time: the more, "
    "the less memory. Batch normalisation sees a part at a time.",
    lower_bound=1,
)
_RECOMPUTE = flags.DEFINE_bool(
    "recompute",
    _DEFAULTS.recompute,
    "Calculate the values inside cells again for the gradient instead of "
    "keeping them: less memory, and slower.",
)
_DISTRIBUTE = flags.DEFINE_enum(
    "distribute",
    _DEFAULTS.distribute,
    DISTRIBUTIONS,
    "Share every search batch among all visible GPUs (auto), or use one.",
)
_JIT_COMPILE = flags.DEFINE_bool(
    "jit_compile",
    _DEFAULTS.jit_compile,
    "Compile the search step by XLA; slower on a CPU.",
)
_WATCH_HESSIAN = flags.DEFINE_bool(
    "watch_hessian",
    _DEFAULTS.watch_hessian,
    "Measure after every epoch how sharp the loss is in alpha (a further 40 "
    "passes or fewer over one batch).",
)
_ARCHITECTURE_WARM_UP_EPOCHS = flags.DEFINE_integer(
    "architecture_warm_up_epochs",
    _DEFAULTS.architecture_warm_up_epochs,
    "Epochs at the start that move the weights alone.",
    lower_bound=0,
)
_MAX_SKIP_CONNECTIONS = flags.DEFINE_integer(
    "max_skip_connections",
    _DEFAULTS.max_skip_connections,
    "Skip connections that the found normal cell may hold (P-DARTS: 2); "
    "without it, any number.",
    lower_bound=0,
)
_EARLY_STOP_SKIPS = flags.DEFINE_integer(
    "early_stop_skips",
    _DEFAULTS.early_stop_skips,
    "Stop after an epoch whose normal cell holds so many skip connections "
    "(DARTS+: 2); 0 for never.",
    lower_bound=0,
)
_BETA_DECAY = flags.DEFINE_float(
    "beta_decay",
    _DEFAULTS.beta_decay,
    "Weight in the last epoch, rising from 0, of beta-DARTS' penalty on alpha.",
    lower_bound=0.0,
)
_ZERO_ONE_WEIGHT = flags.DEFINE_float(
    "zero_one_weight",
    _DEFAULTS.zero_one_weight,
    "With --relaxation=sigmoid: of the loss that drives weights to 0 or 1.",
    lower_bound=0.0,
)


def search_config() -> SearchConfig:
    """What the flags ask for.

    Raises:
      UsageError: when a flag would do nothing.
    """
    relaxation = network_flags.network_config().relaxation
    if flags.FLAGS[_ZERO_ONE_WEIGHT.name].present and relaxation != "sigmoid":
        raise UsageError(
            f"--{_ZERO_ONE_WEIGHT.name} does nothing with --relaxation="
            f"{relaxation}: it is for sigmoid. Leave it out."
        )
    return SearchConfig(
        **training_flags.training_settings(),
        epochs=_EPOCHS.value,
        architecture_learning_rate=_ARCHITECTURE_LEARNING_RATE.value,
        architecture_split=_ARCHITECTURE_SPLIT.value,
        order=_ORDER.value,
        derivation=_DERIVATION.value,
        micro_batches=_MICRO_BATCHES.value,
        recompute=_RECOMPUTE.value,
        distribute=_DISTRIBUTE.value,
        jit_compile=_JIT_COMPILE.value,
        watch_hessian=_WATCH_HESSIAN.value,
        architecture_warm_up_epochs=_ARCHITECTURE_WARM_UP_EPOCHS.value,
        max_skip_connections=_MAX_SKIP_CONNECTIONS.value,
        early_stop_skips=_EARLY_STOP_SKIPS.value,
        beta_decay=_BETA_DECAY.value,
        zero_one_weight=_ZERO_ONE_WEIGHT.value,
    )
