"""From a test's folder to the model that is served.

retrained, recipe, ...   one stream: that network
fusion_mean              both streams, `retrained` and `recipe`, averaged
"""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from emotion_nas_tf.networks.system import load_system
from emotion_nas_tf.recurrent.system import load_recurrent_system
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.serving.packing import (
    SEQUENCE_RATE_HZ,
    recurrent_stream,
    spectrogram_stream,
)
from emotion_nas_tf.serving.selection import FUSIONS, RESULTS
from emotion_nas_tf.serving.streams import Fusion, ServedModel, Stream
from emotion_nas_tf.systems import RECURRENT, SYSTEMS
from tfrecords_builder.errors import UsageError

# Below this, a probability counts as this: its logarithm is finite.
_SMALLEST = 1e-12


def assemble(
    directory: FoldDirectory, system: str, checkpoint: Path | None = None
) -> ServedModel:
    """The parts of a model, with their weights.

    Args:
      directory: the test's folder.
      system: a network of `systems.STREAMS`, or one of `FUSIONS`.
      checkpoint: wav2vec's, where that is an encoder.

    Raises:
      UsageError: when a part is not there, cannot be served, or the parts
        know other classes or sample rates.
      WorkError: when its weights are damaged.
    """
    if system not in FUSIONS:
        stream, labels, rate = _stream(directory, system, checkpoint)
        return ServedModel(system, labels, rate, (stream,))
    parts = [_stream(directory, name, checkpoint) for name in RESULTS.values()]
    streams, labels, rates = zip(*parts, strict=True)
    if len(set(labels)) > 1 or len(set(rates)) > 1:
        raise UsageError(
            f"The networks {' and '.join(RESULTS.values())} in "
            f"{directory.path} know different classes or sample rates: they "
            "were trained on different records. Train both on the same ones."
        )
    fusion = make_fusion(system)
    return ServedModel(system, labels[0], rates[0], streams, fusion)


def _stream(
    directory: FoldDirectory, system: str, checkpoint: Path | None
) -> tuple[Stream, tuple[str, ...], int]:
    """The stream, its classes and its sample rate."""
    owner = f"The system {system} in {directory.path}"
    if SYSTEMS[system].stream == RECURRENT:
        network, info = load_recurrent_system(directory, system)
        stream = recurrent_stream(network, info, owner, checkpoint)
        return stream, info.label_names, SEQUENCE_RATE_HZ
    network, info = load_system(directory, system)
    stream = spectrogram_stream(network, info, owner)
    return stream, info.label_names, info.spectrogram.sample_rate_hz


def make_fusion(system: str) -> Fusion:
    """One of `FUSIONS`."""
    fuse = {"fusion_mean": _mean, "fusion_product": _product}[system]
    return Fusion(system, fuse, {"system": system})


def _mean(each: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(list(each)) / len(each)


def _product(each: Sequence[tf.Tensor]) -> tf.Tensor:
    logs = [tf.math.log(tf.maximum(values, _SMALLEST)) for values in each]
    return tf.nn.softmax(tf.add_n(logs))
