"""Sequence features in a graph are those of the records."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfrecords_builder.config import SequenceRequest
from tfrecords_builder.features.pooling import pool
from tfrecords_builder.features.sequence import (
    complete_request,
    describe_features,
    frame_extractor,
)
from tfrecords_builder.features.sequence_graph import (
    LogMelGraph,
    SequenceGraph,
    Wav2VecGraph,
)

# Around the borders of windows, hops and groups; and nothing at all.
LENGTHS = (0, 1, 399, 400, 575, 576, 1_103, 1_104, 3_000, 8_000)


def make(request, num_frames):
    request = complete_request(request, print)
    config = dataclasses.replace(
        describe_features(request), num_frames=num_frames
    )
    extract = frame_extractor(request)
    frames = (
        LogMelGraph()
        if request.features == "logmel"
        else Wav2VecGraph(extract.model, config.output)
    )
    graph = SequenceGraph(config, frames)
    function = tf.function(
        graph,
        input_signature=[
            tf.TensorSpec((None, None)),
            tf.TensorSpec((None,), tf.int32),
        ],
        autograph=False,
    )
    return config, extract, graph, function


def utterances(lengths):
    generator = np.random.default_rng(0)
    batch = np.zeros((len(lengths), max(lengths)), np.float32)
    for row, length in zip(batch, lengths, strict=True):
        row[:length] = generator.normal(scale=0.1, size=length)
    return batch


def check(config, extract, function, lengths):
    batch = utterances(lengths)
    sequences, groups = function(batch, np.array(lengths, np.int32))
    for row, length, sequence, count in zip(
        batch, lengths, sequences.numpy(), groups.numpy(), strict=True
    ):
        expected = pool(extract(row[:length]), config.pool_frames)
        expected = expected[: config.num_frames]
        assert count == len(expected)
        np.testing.assert_allclose(sequence[:count], expected, atol=1e-4)
        np.testing.assert_array_equal(sequence[count:], 0)


def test_log_mel_in_one_batch():
    config, extract, _, function = make(SequenceRequest("logmel"), 50)
    check(config, extract, function, LENGTHS)


def test_log_mel_is_cut_where_the_records_are():
    config, extract, graph, function = make(SequenceRequest("logmel"), 3)
    # The last sample that does not make a fourth group whole.
    assert graph.heard_samples == 400 + 176 * 15 - 1
    check(config, extract, function, (9_000, graph.heard_samples, 2_000))


@pytest.mark.parametrize("output", ["c", "z"])
def test_wav2vec_in_one_batch(shared_dir, output):
    checkpoint = shared_dir / "parity/wav2vec_small_random.pt"
    request = SequenceRequest("wav2vec", str(checkpoint), output)
    config, extract, graph, function = make(request, 8)
    # Every frame depends on the whole utterance, so it is cut after encoding.
    assert graph.heard_samples == 60 * 16_000
    check(config, extract, function, (0, 464, 465, 624, 625, 5_000, 9_000))
