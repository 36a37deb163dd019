"""Sequence features: which there are, what decides their numbers.

    wav2vec        wav2vec 1.0 from a checkpoint
    logmel         frames of the spectrogram front end
    transformers   newer encoders, through the package of that name

Results name the features they used by these words.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tfrecords_builder.config import (
    SequenceConfig,
    SequenceRequest,
    spectrogram_preset,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import sha256

# Waveform (samples,) float32, 16 kHz, unpadded, to (frames, size) float32.
FrameExtractor = Callable[[np.ndarray], np.ndarray]

# So that a group of frames is 40 ms: wav2vec has one every 10 ms, the front
# end every 11, the newer encoders every 20.
_POOL_FRAMES = {"wav2vec": 4, "logmel": 4, "transformers": 2}

_OUTPUTS = {"wav2vec": "c", "logmel": "", "transformers": "last"}

# The front end whose frames `logmel` are.
LOG_MEL = spectrogram_preset("paper", "log_mel")


def complete_request(
    request: SequenceRequest, say: Callable[[str], None]
) -> SequenceRequest:
    """Fills in defaults; downloads wav2vec-large where that is asked for.

    Raises:
      UsageError: when nobody said which checkpoint.
      WorkError: when it cannot be downloaded.
    """
    request = dataclasses.replace(
        request,
        output=request.output or _OUTPUTS[request.features],
        pool_frames=request.pool_frames or _POOL_FRAMES[request.features],
        cache_dir=request.cache_dir.expanduser(),
    )
    if request.features != "wav2vec":
        return request
    if request.download:
        from tfrecords_builder.features.wav2vec.download import (
            download_wav2vec_large,
        )

        path = download_wav2vec_large(request.cache_dir, say)
        return dataclasses.replace(request, encoder=str(path), download=False)
    if not request.encoder:
        raise UsageError(
            "--sequence_features=wav2vec needs a checkpoint: name yours with "
            "--wav2vec_checkpoint=FILE or give --download_wav2vec. Without "
            "one, --sequence_features=logmel always works."
        )
    return request


def describe_features(request: SequenceRequest) -> SequenceConfig:
    """What decides the features' numbers, as records and results carry it.

    Args:
      request: of `complete_request`.

    Raises:
      UsageError: when the encoder cannot be read.
    """
    digest, name = "", ""
    if request.features == "wav2vec":
        from tfrecords_builder.features.wav2vec.checkpoint import read_settings

        path = Path(request.encoder)
        settings = read_settings(path)
        size = settings.c_size if request.output == "c" else settings.z_size
        digest, name = sha256(path), path.name
    elif request.features == "transformers":
        encoder = frame_extractor(request)
        size, digest = encoder.size, encoder.digest
        name = request.encoder
    else:
        size = LOG_MEL.num_features
    return SequenceConfig(
        features=request.features,
        encoder=name,
        encoder_sha256=digest,
        output=request.output,
        size=size,
        pool_frames=request.pool_frames,
        max_frames=request.max_frames,
    )


@functools.lru_cache(maxsize=1)
def frame_extractor(request: SequenceRequest) -> FrameExtractor:
    """The encoder, loaded once a process.

    Raises:
      UsageError: when it cannot be read, or a package is missing.
    """
    if request.features == "wav2vec":
        from tfrecords_builder.features.wav2vec.checkpoint import (
            read_checkpoint,
        )
        from tfrecords_builder.features.wav2vec.extraction import Extractor
        from tfrecords_builder.features.wav2vec.loading import model_of

        model = model_of(read_checkpoint(Path(request.encoder)))
        return Extractor(model, request.output)
    if request.features == "transformers":
        from tfrecords_builder.features.transformer import TransformerFrames

        return TransformerFrames(request.encoder, request.output)
    from tfrecords_builder.features.log_mel import LogMelFrames

    return LogMelFrames()
