"""The SavedModel: what it answers to and what it carries.

    serving_default  waveform (batch, samples) -> probabilities (batch, K)
    metadata         ()                        -> metadata, a JSON string
    assets/labels.txt                             a class name a line

The folder is all that serving needs: none of this project's code.
"""

import dataclasses
import json
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.networks.system import SystemInfo
from emotion_nas_tf.serving.model_folder import METADATA_NAME
from tfrecords_builder.features.spectrogram import Spectrogram

METADATA_VERSION = 1


def classify(
    network: keras.Model, front_end: Spectrogram, waveform: tf.Tensor
) -> tf.Tensor:
    """(batch, samples) waveforms to (batch, K) probabilities."""
    features = front_end(waveform)[..., None]
    return tf.nn.softmax(network(features, training=False))


def describe(info: SystemInfo, **more: object) -> dict:
    """What the model carries about itself.

    Args:
      info: the network's.
      **more: JSON values to add, e.g. the fold.
    """
    genotype = info.genotype
    return {
        "metadata_version": METADATA_VERSION,
        "label_names": list(info.label_names),
        "sample_rate_hz": info.spectrogram.sample_rate_hz,
        "duration_seconds": info.spectrogram.duration_seconds,
        "fingerprint": info.fingerprint,
        "spectrogram": dataclasses.asdict(info.spectrogram),
        "parameters": info.parameters,
        "validation_ua": info.validation_ua,
        "genotype": genotype and json.loads(genotype.to_json()),
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        **more,
    }


def save_model(network: keras.Model, metadata: dict, path: Path) -> None:
    """Writes the SavedModel.

    Args:
      network: (batch, 140, 140, 1) features to (batch, K) logits.
      metadata: from `describe`; its `spectrogram` is the front end.
      path: the folder to make.
    """
    front_end = Spectrogram.from_config({"config": metadata["spectrogram"]})
    module = tf.Module()
    # The variables alone: with the whole Keras model, everything Keras keeps
    # beside them (optimiser, training functions) would go along.
    module.weights = [variable.value for variable in network.variables]

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None), tf.float32, name="waveform")
        ]
    )
    def serve(waveform):
        return {"probabilities": classify(network, front_end, waveform)}

    @tf.function(input_signature=[])
    def describe_itself():
        return {"metadata": tf.constant(json.dumps(metadata))}

    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.txt"
        labels.write_text("\n".join(metadata["label_names"]) + "\n", "utf-8")
        module.labels = tf.saved_model.Asset(str(labels))
        # Once more as a file, for people and programs without TensorFlow.
        described = Path(folder) / METADATA_NAME
        described.write_text(json.dumps(metadata, indent=1) + "\n", "utf-8")
        module.description = tf.saved_model.Asset(str(described))
        tf.saved_model.save(
            module,
            str(path),
            signatures={"serving_default": serve, "metadata": describe_itself},
        )
