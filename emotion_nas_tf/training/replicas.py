"""Several devices that work on parts of one batch (`tf.distribute`).

Each replica normalises its part of the batch by itself, as micro-batches do;
gradients, and the running statistics, are means over the replicas. So there
is one set of weights and one set of alphas.
"""

from collections.abc import Sequence

import tensorflow as tf

from tfrecords_builder.errors import UsageError


def make_strategy(distribute: str) -> tf.distribute.Strategy:
    """What decides where variables live and steps run.

    Args:
      distribute: `auto` for all visible GPUs, if there are several; `none`
        for one device.
    """
    devices = tf.config.list_logical_devices("GPU")
    if distribute == "none" or len(devices) < 2:
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def check_equal_parts(sizes: Sequence[int], micro_batches: int) -> None:
    """Refuses batches that replicas and micro-batches cannot share equally.

    Args:
      sizes: of the batches, in utterances.
      micro_batches: parts of each replica's share.

    Raises:
      UsageError: naming the sizes that would do.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    parts = replicas * micro_batches
    for size in sizes:
        if size % parts:
            raise UsageError(
                f"A batch of {size} utterances cannot be cut into {parts} "
                f"equal parts (--micro_batches={micro_batches} on "
                f"{replicas} devices). Give a --batch_size that is a multiple "
                f"of {parts} and no larger than the smallest split."
            )


def mean_over_replicas(tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """The tensors as they are, unless several devices share the work."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return list(tensors)
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, list(tensors))


def with_one_more(x: tf.Tensor) -> tf.Tensor:
    """A further example of zeros, where a replica may be left without any.

    The last batch of a pass may not be enough for all replicas, and
    TensorFlow's convolutions fail on none. Nothing is added on one device.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return x
    return tf.pad(x, [[0, 1], *[[0, 0]] * (x.shape.rank - 1)])
