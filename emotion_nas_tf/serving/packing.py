"""Trained systems to the parts of a served model."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.networks.ensemble import EnsembleNetwork
from emotion_nas_tf.networks.fusion import SMALLEST, FusionNetwork
from emotion_nas_tf.networks.fusion_system import (
    MEAN,
    PERCEPTRON,
    PRODUCT,
    FusionInfo,
    join,
)
from emotion_nas_tf.networks.system import SystemInfo
from emotion_nas_tf.recurrent.network import RecurrentNetwork
from emotion_nas_tf.recurrent.system import RecurrentInfo
from emotion_nas_tf.serving.streams import Fusion, Stream
from emotion_nas_tf.systems import RECURRENT, SPECTROGRAM
from tfrecords_builder.config import SequenceConfig, SequenceRequest
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.pooling import pool
from tfrecords_builder.features.sequence import (
    describe_features,
    frame_extractor,
)
from tfrecords_builder.features.sequence_graph import (
    LogMelGraph,
    SequenceGraph,
    Wav2VecGraph,
)
from tfrecords_builder.features.spectrogram import Spectrogram

# Sequence features are made of audio at this rate alone.
SEQUENCE_RATE_HZ = 16_000


def spectrogram_stream(
    network: keras.Model, info: SystemInfo, owner: str
) -> Stream:
    """The first stream, of a trained network.

    Args:
      network: (batch, 140, 140, 1) features to logits.
      info: what it is.
      owner: the system, in words.

    Raises:
      UsageError: when it was trained on another front end than this.
    """
    _check_fingerprint(info.spectrogram.fingerprint(), info.fingerprint, owner)
    front_end = Spectrogram(info.spectrogram)

    def features(waveform: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return front_end(waveform)[..., None]

    def reference(waveform: np.ndarray) -> np.ndarray:
        logits = network(features(tf.constant(waveform[None]), None))
        return tf.nn.softmax(logits).numpy()[0]

    genotype = info.genotype
    return Stream(
        name=SPECTROGRAM,
        system=info.system,
        features=features,
        network=network,
        heard_samples=info.spectrogram.num_samples,
        description={
            "fingerprint": info.fingerprint,
            "features": dataclasses.asdict(info.spectrogram),
            "genotype": genotype and json.loads(genotype.to_json()),
            **_members(network),
            "parameters": info.parameters,
            "validation_ua": info.validation_ua,
        },
        reference=reference,
        variables=[variable.value for variable in network.variables],
    )


def recurrent_stream(
    network: RecurrentNetwork | EnsembleNetwork,
    info: RecurrentInfo,
    owner: str,
    checkpoint: Path | None = None,
) -> Stream:
    """The second stream, of a trained network.

    Args:
      network: ((batch, frames, d), (batch,) lengths) to logits.
      info: what it is.
      owner: the system, in words.
      checkpoint: wav2vec's, where that is its encoder.

    Raises:
      UsageError: when it was trained on other features than can be put into
        a model here.
    """
    config = info.sequence
    request = _request(config, owner, checkpoint)
    _check_fingerprint(
        describe_features(request).fingerprint(), info.fingerprint, owner
    )
    extract = frame_extractor(request)
    frames = (
        LogMelGraph()
        if config.features == "logmel"
        else Wav2VecGraph(extract.model, config.output)
    )
    graph = SequenceGraph(config, frames)
    served = _uncompiled(network, config.size)

    def features(waveform: tf.Tensor, num_samples: tf.Tensor):
        sequence, lengths = graph(waveform, num_samples)
        if not network.masked:
            # It attends to padding, so there must be as much as in training.
            missing = config.num_frames - tf.shape(sequence)[1]
            sequence = tf.pad(sequence, ((0, 0), (0, missing), (0, 0)))
        return sequence, lengths

    def reference(waveform: np.ndarray) -> np.ndarray:
        pooled = pool(extract(waveform), config.pool_frames)
        pooled = pooled[: config.num_frames]
        lengths = tf.constant([len(pooled)])
        if not network.masked:
            missing = config.num_frames - len(pooled)
            pooled = np.pad(pooled, ((0, missing), (0, 0)))
        logits = network((tf.constant(pooled[None]), lengths))
        return tf.nn.softmax(logits).numpy()[0]

    return Stream(
        name=RECURRENT,
        system=info.system,
        features=features,
        network=served,
        heard_samples=graph.heard_samples,
        description={
            "fingerprint": info.fingerprint,
            "title": config.title,
            "features": dataclasses.asdict(config),
            "recipe": info.recipe.to_mapping(),
            **_members(network),
            "parameters": info.parameters,
            "validation_ua": info.validation_ua,
        },
        reference=reference,
        variables=[
            variable.value
            for variable in (*served.variables, *frames.variables)
        ],
    )


def fusion_of(network: FusionNetwork | None, info: FusionInfo) -> Fusion:
    """The fusion of the streams `info.fused`.

    Args:
      network: the perceptron; None for a mean or product.
      info: what it is.
    """

    def perceptron(each: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.nn.softmax(network(tf.stack(each, 1), training=False))

    fuse = {PERCEPTRON: perceptron, MEAN: _mean, PRODUCT: _product}
    return Fusion(
        system=info.system,
        fuse=fuse[info.method],
        reference=lambda each: join(network, info, each),
        description={
            "system": info.system,
            "method": info.method,
            "fused": list(info.fused),
            "parameters": info.own_parameters,
            "validation_ua": info.validation_ua,
        },
        variables=[
            variable.value
            for variable in (network.variables if network else ())
        ],
    )


def _mean(each: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(list(each)) / len(each)


def _product(each: Sequence[tf.Tensor]) -> tf.Tensor:
    logs = [tf.math.log(tf.maximum(values, SMALLEST)) for values in each]
    return tf.nn.softmax(tf.add_n(logs))


def _members(network: keras.Model) -> dict[str, int]:
    """Of an ensemble, how many they are; the cells are the first one's."""
    if isinstance(network, EnsembleNetwork):
        return {"members": len(network.members)}
    return {}


def _uncompiled(
    network: RecurrentNetwork | EnsembleNetwork, size: int
) -> RecurrentNetwork | EnsembleNetwork:
    """The same network of plain operations.

    Programs compiled by XLA would be compiled again for each batch size, and a
    server need not have XLA.
    """
    if isinstance(network, EnsembleNetwork):
        return EnsembleNetwork([_uncompiled(m, size) for m in network.members])
    config = {**network.get_config(), "compiled": False}
    copy = RecurrentNetwork.from_config(config)
    copy.build((None, None, size))
    copy.set_weights(network.get_weights())
    return copy


def _request(
    config: SequenceConfig, owner: str, checkpoint: Path | None
) -> SequenceRequest:
    if config.features == "transformers":
        raise UsageError(
            f"{owner} hears {config.title}, which PyTorch computes: it cannot "
            "be part of a SavedModel. Export a system of the spectrogram "
            "stream with --system=retrained, or train on wav2vec or logmel."
        )
    if config.features == "wav2vec" and checkpoint is None:
        raise UsageError(
            f"{owner} hears wav2vec features, and the network that makes them "
            "becomes part of the model: name its checkpoint, "
            f"{config.encoder}, with --wav2vec_checkpoint=FILE."
        )
    return SequenceRequest(
        config.features,
        str(checkpoint) if config.features == "wav2vec" else "",
        config.output,
        config.pool_frames,
        config.max_frames,
    )


def _check_fingerprint(ours: str, trained: str, owner: str) -> None:
    if ours != trained:
        raise UsageError(
            f"{owner} was trained on other features than these here, or on "
            f"another version of the front end (fingerprint {trained[:12]}, "
            f"here {ours[:12]}). Name the encoder it was trained with, or "
            "export it with the release that trained it."
        )
