"""The search as one step among others: in a process of its own.

On a CPU a search gives an operation fewer threads than training wants, and
TensorFlow takes their number when it starts.
"""

import os
from pathlib import Path

import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.kernel_threads import kernel_threads
from emotion_nas_tf.training.searching import search_fold
from emotion_nas_tf.worker_processes import call_in_process, deaths_explained
from tfrecords_builder.program import KERNEL_THREADS
from tfrecords_builder.records import RecordsManifest

_REMEDY = (
    "Run the same command again when more is free, or with a lower "
    "--parallel_tests; --recompute, --micro_batches or fewer --num_channels "
    "need less, but are another search: into another --run_dir."
)


def search_threads(config: SearchConfig, cores: int, here: int) -> int | None:
    """Threads for one operation of a search in a process of its own.

    None where the search is as well off in this one: with a GPU, which this
    process holds; with `--deterministic`, or a number that the user has set
    (`KERNEL_THREADS`), which hold for all processes; for a batch that is not
    cut; where an operation has no more threads here.

    Args:
      config: of the search.
      cores: that the search may use.
      here: threads that an operation has in this process.
    """
    if config.deterministic or KERNEL_THREADS in os.environ:
        return None
    if tf.config.list_physical_devices("GPU"):
        return None
    threads = kernel_threads(cores, config.batch_size // config.micro_batches)
    return threads if threads and threads < here else None


def search_fold_in_process(
    threads: int | None,
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: NetworkConfig,
    config: SearchConfig,
) -> Genotype:
    """`search_fold`, in a process of its own where there is work for one.

    Args:
      threads: of `search_threads`.
      records_dir: as the others, `search_fold`'s.

    Raises:
      UsageError: as `search_fold`.
      WorkError: as `search_fold`; when the process was killed.
    """
    arguments = (
        records_dir,
        manifest,
        fold,
        directory,
        network_config,
        config,
    )
    if threads is None or directory.info("search").is_file():
        return search_fold(*arguments)
    with deaths_explained("a search", _REMEDY):
        return call_in_process(search_fold, *arguments, kernel_threads=threads)
