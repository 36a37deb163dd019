"""Both streams and their fusion in one model, from export to prediction."""

import dataclasses
import io

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from serving_data import LABELS, RATE, spectrogram_info

from emotion_nas_tf.config import RecurrentConfig
from emotion_nas_tf.networks.fusion_system import (
    FusionInfo,
    build_fusion,
    join,
)
from emotion_nas_tf.recurrent.network import build_recurrent_network
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.recurrent.system import RecurrentInfo
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.serving import assembling, exporting, packing
from emotion_nas_tf.serving.predictor import Predictor
from tfrecords_builder.config import SequenceRequest
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.sequence import (
    complete_request,
    describe_features,
)


def spectrogram_system(*_):
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((140, 140, 1)),
            keras.layers.AveragePooling2D(35),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    return network, spectrogram_info(network)


def recurrent_system(request=None, masked=True, labels=LABELS):
    keras.utils.set_random_seed(2)
    request = complete_request(request or SequenceRequest("logmel"), print)
    sequence = dataclasses.replace(describe_features(request), num_frames=20)
    config = RecurrentConfig(2, 4, sequence.size)
    network = build_recurrent_network(
        config, built_in("gru"), len(labels), masked=masked, compiled=False
    )
    # Answers that are not all alike.
    network.set_weights([5 * weight for weight in network.get_weights()])
    info = RecurrentInfo(
        system="recipe",
        network=config,
        recipe=built_in("gru"),
        label_names=labels,
        sequence=sequence,
        features=sequence.title,
        fingerprint=sequence.fingerprint(),
        records="",
        corpus="none",
        validation_ua=0.5,
        validation_loss=1.0,
        epoch=1,
        parameters=network.count_params(),
    )
    return network, info


def fusion_system(method="perceptron"):
    keras.utils.set_random_seed(3)
    info = FusionInfo(
        system={"perceptron": "fusion"}.get(method, f"fusion_{method}"),
        method=method,
        fused=("retrained", "recipe"),
        trained={},
        label_names=LABELS,
        fingerprint="",
        records="",
        corpus="none",
        settings={"activation": "relu"},
        validation_ua=0.5,
        epoch=1,
        parameters=1,
        own_parameters=1,
    )
    return (build_fusion(info) if method == "perceptron" else None), info


def put(patch, recurrent):
    """Puts networks where trained ones are looked for."""
    for name, made in (
        ("load_system", spectrogram_system()),
        ("load_recurrent_system", recurrent),
        ("load_fusion", fusion_system()),
    ):
        patch.setattr(assembling, name, lambda *_, made=made: made)


@pytest.fixture
def load(monkeypatch):
    return lambda recurrent: put(monkeypatch, recurrent)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        put(patch, recurrent_system())
        run = RunDirectory(tmp_path_factory.mktemp("run"))
        return exporting.export_system(run.test(2, "08"), "fusion")


@pytest.fixture(scope="module")
def signatures(exported):
    return tf.saved_model.load(str(exported.path)).signatures


def voice(seconds):
    generator = np.random.default_rng(0)
    noise = generator.normal(scale=0.1, size=round(seconds * RATE))
    return noise.astype(np.float32)


def test_a_fresh_process_answers_as_the_records_and_networks(exported):
    """Of each stream, one by one and in a padded batch, for any lengths."""
    assert set(exported.differences) == {
        *("probabilities", "spectrogram_probabilities"),
        "recurrent_probabilities",
    }
    assert exported.max_difference <= 1e-5
    text = exported.to_text()
    assert "spectrogram: retrained, recurrent: recipe, fusion: fusion)" in text


def test_the_fusion_is_that_of_the_streams(signatures):
    answer = signatures["serving_default"](waveform=voice(1.3)[None])
    first, second = (
        answer[f"{name}_probabilities"].numpy()
        for name in ("spectrogram", "recurrent")
    )
    assert np.abs(first - second).max() > 0.01
    expected = join(*fusion_system(), [first, second])
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize("method", ["mean", "product"])
def test_fusions_without_weights(method):
    fusion = packing.fusion_of(*fusion_system(method))
    # One stream rules a class out.
    each = [
        np.array([[0.5, 0.3, 0.2], [0.0, 0.4, 0.6]], np.float32),
        np.array([[0.1, 0.1, 0.8], [1.0, 0.0, 0.0]], np.float32),
    ]
    np.testing.assert_allclose(
        fusion.fuse([tf.constant(values) for values in each]),
        fusion.reference(each),
        atol=1e-6,
    )


def test_wav_bytes_answer_as_their_waveform(signatures):
    files, expected = [], []
    for seconds in (0.4, 1.1):
        buffer = io.BytesIO()
        soundfile.write(
            buffer, voice(seconds), RATE, subtype="FLOAT", format="WAV"
        )
        files.append(buffer.getvalue())
        answer = signatures["serving_default"](waveform=voice(seconds)[None])
        expected.append(answer["probabilities"][0])
    received = signatures["wav"](wav_bytes=tf.constant(files))
    np.testing.assert_allclose(received["probabilities"], expected, atol=1e-6)
    buffer = io.BytesIO()
    soundfile.write(buffer, voice(0.4), 8_000, format="WAV")
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="the WAV file has 8000 Hz"
    ):
        signatures["wav"](wav_bytes=tf.constant([buffer.getvalue()]))


@pytest.mark.parametrize("seconds", [0.0, 1 / RATE, 12.0])
def test_nothing_almost_nothing_and_long_audio_have_answers(
    signatures, seconds
):
    """What comes after the first 8 s and 20 groups changes nothing."""
    waveform = voice(seconds)[None]
    answer = signatures["serving_default"](waveform=waveform)
    values = answer["probabilities"].numpy()
    assert values.sum() == pytest.approx(1, abs=1e-5)
    first = signatures["serving_default"](waveform=waveform[:, : 8 * RATE])
    np.testing.assert_array_equal(first["probabilities"], values)


def test_predictions_show_each_stream(exported, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, voice(3), RATE)
    predictor = Predictor(exported.path)
    prediction = predictor.predict(path)
    assert list(prediction.streams) == ["spectrogram", "recurrent"]
    streams = [
        np.array([[*values.values()]]) for values in prediction.streams.values()
    ]
    [expected] = join(*fusion_system(), streams)
    assert [*prediction.probabilities.values()] == pytest.approx(
        expected, abs=1e-6
    )
    assert "\trecurrent: neutral=" in prediction.to_line()
    assert '"streams": {"spectrogram": {"neutral":' in prediction.to_json()
    assert set(predictor.columns) <= set(prediction.to_row())
    assert "p_recurrent_sad" in predictor.columns
    # 20 groups of 4 frames of 11 ms, and what does not make another one.
    assert prediction.notes == (
        "it lasts 3.0 s, only the first 8 s (spectrogram) and 0.938 s "
        "(recurrent) are heard",
    )


def test_the_fingerprints_are_in_the_folder(exported):
    streams = Predictor(exported.path).metadata["streams"]
    _, spectrogram = spectrogram_system()
    _, recurrent = recurrent_system()
    assert streams["spectrogram"]["fingerprint"] == spectrogram.fingerprint
    assert streams["recurrent"]["fingerprint"] == recurrent.fingerprint
    assert streams["recurrent"]["title"] == "logmel"


def test_the_compiled_network_is_exported_as_plain_operations():
    """XLA's programs would have to be compiled again by every server."""
    _, info = recurrent_system()
    network = build_recurrent_network(info.network, info.recipe, 3)
    stream = packing.recurrent_stream(network, info, "It")
    assert network.stack.compiled
    assert not stream.network.stack.compiled
    waveform = voice(0.5)
    answer = stream.probabilities(waveform[None], tf.constant([len(waveform)]))
    np.testing.assert_allclose(answer[0], stream.reference(waveform), atol=1e-5)


def test_a_network_that_attends_to_padding_gets_as_much_as_in_training():
    network, info = recurrent_system(masked=False)
    stream = packing.recurrent_stream(network, info, "It")
    sequence, _ = stream.features(voice(0.3)[None], tf.constant([4_800]))
    assert sequence.shape[1] == 20
    answer = stream.probabilities(voice(0.3)[None], tf.constant([4_800]))
    np.testing.assert_allclose(
        answer[0], stream.reference(voice(0.3)), atol=1e-5
    )


def test_wav2vec_becomes_part_of_the_model(load, shared_dir, tmp_path):
    checkpoint = shared_dir / "parity/wav2vec_small_random.pt"
    network, info = recurrent_system(
        SequenceRequest("wav2vec", str(checkpoint))
    )
    load((network, info))
    directory = RunDirectory(tmp_path).test(2, "08")
    with pytest.raises(UsageError, match="--wav2vec_checkpoint=FILE"):
        exporting.export_system(directory, "recipe")
    other = shared_dir / "parity/wav2vec_small_random_zip.pt"
    with pytest.raises(UsageError, match="trained on other features"):
        exporting.export_system(directory, "recipe", checkpoint=other)
    export = exporting.export_system(directory, "recipe", checkpoint=checkpoint)
    assert export.max_difference <= 1e-4


def test_refuses_encoders_that_are_no_tensorflow(load, tmp_path):
    network, info = recurrent_system()
    sequence = dataclasses.replace(
        info.sequence, features="transformers", encoder="org/hubert"
    )
    load((network, dataclasses.replace(info, sequence=sequence)))
    with pytest.raises(UsageError, match=r"PyTorch.*--system=retrained"):
        exporting.export_system(RunDirectory(tmp_path).test(2, "08"), "recipe")


def test_refuses_streams_of_different_classes(load, tmp_path):
    load(recurrent_system(labels=("a", "b", "c")))
    with pytest.raises(UsageError, match="know different classes"):
        exporting.export_system(RunDirectory(tmp_path).test(2, "08"), "fusion")
