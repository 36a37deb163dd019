"""From a test's folder to the model that is served.

retrained, recipe, ...         one stream: that network
fusion, fusion_mean, ...       the networks that it joins, and the fusion
"""

from pathlib import Path

from emotion_nas_tf.networks.fusion_system import load_fusion
from emotion_nas_tf.networks.system import load_system
from emotion_nas_tf.recurrent.system import load_recurrent_system
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.serving.packing import (
    SEQUENCE_RATE_HZ,
    fusion_of,
    recurrent_stream,
    spectrogram_stream,
)
from emotion_nas_tf.serving.selection import check_system
from emotion_nas_tf.serving.streams import ServedModel, Stream
from emotion_nas_tf.systems import FUSION, RECURRENT, SYSTEMS
from tfrecords_builder.errors import UsageError


def assemble(
    directory: FoldDirectory, system: str, checkpoint: Path | None = None
) -> ServedModel:
    """The parts of a model, with their weights.

    Args:
      directory: the test's folder.
      system: one of `selection.EXPORTABLE`.
      checkpoint: wav2vec's, where that is an encoder.

    Raises:
      UsageError: when a part is not there, cannot be served, or the parts
        know other classes or sample rates.
      WorkError: when its weights are damaged.
    """
    check_system(system)
    if SYSTEMS[system].stream != FUSION:
        stream, labels, rate = _stream(directory, system, checkpoint)
        return ServedModel(system, labels, rate, (stream,))
    perceptron, info = load_fusion(directory, system)
    parts = [_stream(directory, name, checkpoint) for name in info.fused]
    streams, labels, rates = zip(*parts, strict=True)
    if {*labels} != {info.label_names} or len(set(rates)) > 1:
        raise UsageError(
            f"{' and '.join(info.fused)} in {directory.path} know different "
            "classes or sample rates: they were trained on different records. "
            "Train both on the same ones."
        )
    fusion = fusion_of(perceptron, info)
    return ServedModel(system, info.label_names, rates[0], streams, fusion)


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
