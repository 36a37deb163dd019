"""One shard's work: read its audio, compute features, write the file.

Imported where a shard is made, which may be a worker process: TensorFlow is
slow to import.
"""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from tfrecords_builder import schema
from tfrecords_builder.audio import AudioError, load_audio
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.features.feature_cache import sequence_features
from tfrecords_builder.features.pooling import num_pooled
from tfrecords_builder.features.spectrogram import Spectrogram
from tfrecords_builder.shards import BrokenFile, ShardResult, ShardTask
from tfrecords_builder.writer import write_shard


def build_shard(task: ShardTask) -> ShardResult:
    """Writes the shard of `task`; broken audio is left out and reported.

    Raises:
      OSError: when the disk is full.
      WorkError: when the shard cannot be written for another reason.
    """
    features = {"spectrogram": dataclasses.asdict(task.spectrogram)}
    if task.sequence is not None:
        features["sequence"] = dataclasses.asdict(task.sequence)
    fields = schema.record_fields(features)
    examples, outcomes, num_frames = [], [], []
    for utterance in task.utterances:
        try:
            audio = load_audio(utterance.path, task.spectrogram.sample_rate_hz)
        except AudioError as error:
            outcomes.append(BrokenFile(error.reason, str(error)))
            continue
        values = {
            "id": utterance.id,
            "speaker": utterance.speaker,
            "session": utterance.session,
            "label": task.label_names.index(utterance.label),
            "spectrogram": _features(task.spectrogram, audio.waveform),
        }
        if task.sequence is not None:
            made = sequence_features(
                task.sequence_request, task.sequence, audio.waveform
            )
            rows = made.pooled
            if task.sequence.max_frames:
                rows = rows[
                    : num_pooled(
                        task.sequence.max_frames, task.sequence.pool_frames
                    )
                ]
            values |= {"sequence": rows, schema.LENGTH: len(rows)}
            num_frames.append(made.num_frames)
        examples.append(schema.encode(fields, values))
        outcomes.append(audio.facts)
    shard = write_shard(task.path, examples, task.compression)
    return ShardResult(task.index, shard, tuple(outcomes), tuple(num_frames))


def enter_worker_process():
    """Takes one thread and no GPU, so that workers do not crowd each other."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.set_visible_devices([], "GPU")


def _features(config: SpectrogramConfig, waveform: np.ndarray) -> np.ndarray:
    # One clip at a time, cut or padded before the call: every utterance meets
    # the same function of one shape, whatever comes before or after it.
    fitted = np.zeros((1, config.num_samples), np.float32)
    fitted[0, : len(waveform)] = waveform[: config.num_samples]
    # On the CPU, also where there is a GPU: its products are rounded
    # otherwise, and records of two machines should be the same.
    with tf.device("CPU:0"):
        return _front_end(config)(tf.constant(fitted)).numpy()[0]


@functools.lru_cache(maxsize=1)
def _front_end(
    config: SpectrogramConfig,
) -> tf.types.experimental.GenericFunction:
    return tf.function(Spectrogram(config), autograph=False)
