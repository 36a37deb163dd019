"""What a loaded model says of itself, checked."""

import json
from pathlib import Path
from typing import Any

from emotion_nas_tf.serving.model_folder import METADATA_NAME
from emotion_nas_tf.systems import SPECTROGRAM
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json

_VERSIONS = (1, 2)


def read_metadata(loaded: Any, model: Path) -> dict:
    """The metadata of a model, in the form of the newest version.

    Args:
      loaded: the model.
      model: its folder.

    Raises:
      UsageError: when this project or this release did not export it, or
        when the fingerprints and all else in `metadata.json` are not those
        of the graph, which holds the front ends.
    """
    missing = {"serving_default", "metadata"} - set(loaded.signatures)
    if missing:
        raise UsageError(
            f"{model} is a SavedModel without the signature "
            f"{', '.join(sorted(missing))}: `python -m emotion_nas_tf.export` "
            "did not write it."
        )
    answer = loaded.signatures["metadata"]()["metadata"]
    metadata = json.loads(answer.numpy().decode())
    version = metadata.get("metadata_version")
    if version not in _VERSIONS:
        raise UsageError(
            f"{model} was exported by another release (metadata version "
            f"{version}; this one reads {' and '.join(map(str, _VERSIONS))}). "
            "Use that release, or export it again."
        )
    path = model / "assets" / METADATA_NAME
    if path.is_file() and read_json(path) != metadata:
        raise UsageError(
            f"{path} is of another model than the graph beside it: the folder "
            "is mixed from two exports. Export it again."
        )
    return _with_streams(metadata)


def _with_streams(metadata: dict) -> dict:
    """Version 1 knew one stream, and laid its fields at the top."""
    if metadata["metadata_version"] > 1:
        return metadata
    stream = {
        "system": metadata.get("system"),
        "heard_seconds": metadata["duration_seconds"],
        "fingerprint": metadata["fingerprint"],
        "features": metadata["spectrogram"],
    }
    return {**metadata, "streams": {SPECTROGRAM: stream}, "fusion": None}
