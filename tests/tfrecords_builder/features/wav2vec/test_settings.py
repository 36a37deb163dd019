"""Layer strings, frames and counts of wav2vec's settings."""

import json

import pytest

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.settings import (
    Wav2VecSettings,
    parse_layers,
)

LARGE = Wav2VecSettings()


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("[(32, 2, 1)]", ((32, 2, 1),)),
        (
            " [(6, 10, 5)]+2*[(6, 4, 2),(6, 1, 1)] ",
            ((6, 10, 5),) + ((6, 4, 2), (6, 1, 1)) * 2,
        ),
        (
            "[(512, 10, 5)] + [(512, 8, 4)] + [(512, 4, 2)] * 3 + "
            "[(512, 1, 1)] * 2",
            LARGE.encoder,
        ),
    ],
)
def test_layer_strings(text, layers):
    assert parse_layers(text) == layers


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "[(512, 10, 5) for _ in range(3)]",
        "[(1, 1, 1)] * 10 ** 10",
        "[(1, 1, 1)] * 1000000000",
        "[(1, 1, True)]",
        "(1, 2, 3)",
        "[(1, 1, 1)",
        "[" * 5000,
        "[(1, 1, 1)]" + " + [(1, 1, 1)]" * 5000,
        "[(1, 1, 1)]\0",
        "",
    ],
)
def test_other_strings_are_refused(text):
    with pytest.raises(UsageError, match="layers must read like"):
        parse_layers(text)


@pytest.mark.parametrize("layers", [((6, 0, 1),), ((6, 2),), (6,), ()])
def test_impossible_layers_are_refused(layers):
    with pytest.raises(UsageError, match="encoder must be tuples"):
        Wav2VecSettings(encoder=layers)


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(464, 0), (465, 1), (624, 1), (625, 2), (128_000, 798), (466_079, 2911)],
)
def test_frames_of_wav2vec_large(samples, frames):
    assert LARGE.num_frames(samples) == frames


def test_geometry_of_wav2vec_large():
    assert LARGE.hop_samples == 160
    assert LARGE.receptive_field_samples == 465
    assert LARGE.prediction_offset == 3
    assert (LARGE.z_size, LARGE.c_size) == (512, 512)


def test_json_round_trip():
    settings = Wav2VecSettings(residual_scale=0.3, offset=1)
    fields = json.loads(json.dumps(settings.to_json()))
    assert Wav2VecSettings.from_json(fields) == settings


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "no conv_feature_layers"),
        ({"aggregator": "gru"}, "'gru'"),
        ({"vq_type": "gumbel"}, "vq-wav2vec"),
    ],
)
def test_other_networks_are_refused(args, message):
    with pytest.raises(UsageError, match=message):
        Wav2VecSettings.from_fairseq(args)
