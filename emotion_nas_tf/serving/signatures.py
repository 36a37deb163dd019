"""The SavedModel: what it answers to and what it carries.

    serving_default  waveform (batch, samples)             -> probabilities
    padded           waveform, num_samples (batch,)        -> probabilities
    wav              wav_bytes (batch,), WAV files         -> probabilities
    metadata         ()                   -> metadata, a JSON string
    assets/labels.txt                        a class name a line
    assets/metadata.json                     the metadata once more

Probabilities are (batch, K). A model of several streams answers besides with
each one's own, `spectrogram_probabilities` and so on. To `serving_default`
every sample is real; utterances of different lengths in one batch go to
`padded`, where what follows `num_samples` changes nothing.

Any length is heard. Long audio is cut as the records were: after 8 s by the
spectrogram stream, after the longest utterance of the records by the recurrent
one (`heard_seconds` in the metadata). Short audio is padded with zeros to 8 s
and to one window of frames. `wav` refuses other sample rates, see `wav.py`.

The folder is all that serving needs: none of this project's code.
"""

import json
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.serving import wav
from emotion_nas_tf.serving.model_folder import METADATA_NAME
from emotion_nas_tf.serving.streams import ServedModel

METADATA_VERSION = 2


def describe(model: ServedModel, **more: object) -> dict:
    """What the model carries about itself.

    Args:
      model: the parts.
      **more: JSON values to add, e.g. the fold.
    """
    rate = model.sample_rate_hz
    return {
        "metadata_version": METADATA_VERSION,
        "system": model.system,
        "label_names": list(model.label_names),
        "sample_rate_hz": rate,
        "streams": {
            stream.name: {
                "system": stream.system,
                "heard_seconds": stream.heard_samples / rate,
                **stream.description,
            }
            for stream in model.streams
        },
        "fusion": model.fusion and model.fusion.description,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        **more,
    }


def save_model(model: ServedModel, metadata: dict, path: Path) -> None:
    """Writes the SavedModel.

    Args:
      model: the parts.
      metadata: from `describe`.
      path: the folder to make.
    """
    module = tf.Module()
    # The variables alone: with whole Keras models, everything Keras keeps
    # beside them (optimiser, training functions) would go along.
    module.weights = list(model.variables)
    waveforms = tf.TensorSpec((None, None), tf.float32, name="waveform")
    lengths = tf.TensorSpec((None,), tf.int32, name="num_samples")
    files = tf.TensorSpec((None,), tf.string, name="wav_bytes")
    # Traced once; the others call it.
    answer = tf.function(
        model.answer, input_signature=[waveforms, lengths], autograph=False
    )

    @tf.function(input_signature=[waveforms], autograph=False)
    def serve(waveform):
        shape = tf.shape(waveform)
        return answer(waveform, tf.fill(shape[:1], shape[1]))

    @tf.function(input_signature=[files], autograph=False)
    def serve_wav(wav_bytes):
        return answer(*wav.decode_batch(wav_bytes, model.sample_rate_hz))

    @tf.function(input_signature=[], autograph=False)
    def describe_itself():
        return {"metadata": tf.constant(json.dumps(metadata))}

    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.txt"
        labels.write_text("\n".join(model.label_names) + "\n", "utf-8")
        module.labels = tf.saved_model.Asset(str(labels))
        # Once more as a file, for people and programs without TensorFlow.
        described = Path(folder) / METADATA_NAME
        described.write_text(json.dumps(metadata, indent=1) + "\n", "utf-8")
        module.description = tf.saved_model.Asset(str(described))
        tf.saved_model.save(
            module,
            str(path),
            signatures={
                "serving_default": serve,
                "padded": answer,
                "wav": serve_wav,
                "metadata": describe_itself,
            },
            # A served model is not trained.
            options=tf.saved_model.SaveOptions(
                experimental_custom_gradients=False
            ),
        )
