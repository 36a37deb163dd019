"""What a model says of itself, in this release and earlier ones."""

import json
from types import SimpleNamespace

import pytest
import tensorflow as tf

from emotion_nas_tf.serving.metadata import read_metadata
from tfrecords_builder.errors import UsageError


@pytest.mark.parametrize("version", [1, 3])
def test_reads_models_of_earlier_releases_alone(tmp_path, version):
    metadata = {
        "metadata_version": version,
        "duration_seconds": 8.0,
        "fingerprint": "ab",
        "spectrogram": {},
    }
    answer = {"metadata": tf.constant(json.dumps(metadata))}
    model = SimpleNamespace(
        signatures={"serving_default": None, "metadata": lambda: answer}
    )
    if version == 3:
        with pytest.raises(UsageError, match="another release"):
            read_metadata(model, tmp_path)
        return
    [(name, stream)] = read_metadata(model, tmp_path)["streams"].items()
    assert (name, stream["heard_seconds"]) == ("spectrogram", 8.0)
    assert stream["fingerprint"] == "ab"
