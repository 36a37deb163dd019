"""What a search refuses before it begins, and leaves nothing behind."""

import numpy as np

from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.data.batches import halve
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.training.replicas import (
    check_equal_parts,
    make_strategy,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest


def check_search_settings(
    network_config: NetworkConfig, config: SearchConfig
) -> None:
    """Refuses settings that contradict each other.

    Raises:
      UsageError: naming them.
    """
    if config.architecture_warm_up_epochs >= config.epochs:
        raise UsageError(
            f"--architecture_warm_up_epochs={config.architecture_warm_up_epochs}"
            f" leaves none of the {config.epochs} epochs to move alpha. Raise "
            "--search_epochs or lower the warm-up."
        )
    if config.precision != "float32":
        _check_mixed_precision(config)
    if config.recompute and config.jit_compile:
        # XLA does not heed what keeps the second calculation waiting, and may
        # take the first one's values.
        raise UsageError(
            "--recompute saves nothing with --jit_compile. Leave one of the "
            "two out."
        )
    if config.watch_hessian and network_config.relaxation == "gumbel":
        raise UsageError(
            "--watch_hessian needs weights that are smooth in alpha; those of "
            "--relaxation=gumbel are 0 or 1. Leave one of the two out."
        )


def check_search_batches(
    manifest: RecordsManifest, fold: Fold, config: SearchConfig
) -> None:
    """Refuses batches that micro-batches and devices cannot share equally.

    A split that is smaller than a batch makes smaller batches.

    Raises:
      UsageError: naming the sizes that would do.
    """
    training = np.array([manifest.entries[i].label for i in fold.training])
    sizes = [len(training), len(fold.validation)]
    if config.architecture_split == "train":
        sizes = [len(half) for half in halve(training, config.seed)]
    with make_strategy(config.distribute).scope():
        check_equal_parts(
            [min(config.batch_size, size) for size in sizes],
            config.micro_batches,
        )


def _check_mixed_precision(config: SearchConfig) -> None:
    """A kernel that is moved by less than it is rounded by has not moved."""
    flag = f"--precision={config.precision}"
    for option, asked in (
        ("--order=second", config.order == "second"),
        ("--watch_hessian", config.watch_hessian),
    ):
        if asked:
            raise UsageError(
                f"{option} subtracts gradients that differ by less than the "
                f"rounding of {flag}. Leave one of the two out."
            )
    if config.precision == "mixed_float16" and config.distribute != "none":
        raise UsageError(
            f"{flag} scales the loss for one device only; with --distribute="
            f"{config.distribute} use --precision=mixed_bfloat16, which needs "
            "no scale."
        )
