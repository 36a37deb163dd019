"""Features kept by the content of the audio, across builds and kills.

    CACHE_DIR/features/FINGERPRINT/CONTENT.npz

An encoder takes a hundred times longer than the rest of a build; whatever is
built of the same audio and encoder again finds them here.
"""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrecords_builder.config import SequenceConfig, SequenceRequest
from tfrecords_builder.features.pooling import pool
from tfrecords_builder.features.sequence import frame_extractor


@dataclass(frozen=True, eq=False)
class SequenceFeatures:
    """One utterance's.

    Attributes:
      pooled: (groups, size) float32, see `pooling.pool`.
      num_frames: frames before averaging.
    """

    pooled: np.ndarray
    num_frames: int


def sequence_features(
    request: SequenceRequest, config: SequenceConfig, waveform: np.ndarray
) -> SequenceFeatures:
    """Takes an utterance's features from the cache, or makes them.

    Args:
      request: which features, and where the cache is.
      config: of `describe_features`; its fingerprint names the cache.
      waveform: (samples,) float32, 16 kHz, unpadded.
    """
    path = _place(request, config, waveform)
    kept = _read(path)
    if kept is not None:
        return kept
    frames = frame_extractor(request)(waveform)
    made = SequenceFeatures(pool(frames, config.pool_frames), len(frames))
    _write(path, made)
    return made


def _place(
    request: SequenceRequest, config: SequenceConfig, waveform: np.ndarray
) -> Path:
    samples = np.ascontiguousarray(waveform, "<f4").tobytes()
    content = hashlib.sha256(samples).hexdigest()
    folder = Path(request.cache_dir) / "features" / config.fingerprint()[:24]
    # Folders of a few hundred files.
    return folder / content[:2] / f"{content}.npz"


def _read(path: Path) -> SequenceFeatures | None:
    """What is there; none when that is nothing, or half of it."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return SequenceFeatures(file["pooled"], int(file["num_frames"]))
    except (FileNotFoundError, ValueError, KeyError, EOFError):
        return None
    except zipfile.BadZipFile:
        return None


def _write(path: Path, features: SequenceFeatures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process in the name: identical audio may be in two workers' hands.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            np.savez(
                file, pooled=features.pooled, num_frames=features.num_frames
            )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
