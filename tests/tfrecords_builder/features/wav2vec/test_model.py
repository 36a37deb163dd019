"""Networks of any settings against published numbers and a NumPy twin."""

import numpy as np
import pytest

from tfrecords_builder.features.wav2vec.checkpoint import (
    Wav2VecCheckpoint,
    read_checkpoint,
)
from tfrecords_builder.features.wav2vec.extraction import Extractor
from tfrecords_builder.features.wav2vec.loading import model_of
from tfrecords_builder.features.wav2vec.model import Wav2Vec
from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings

CLIPS = (
    "noise_1p3s",
    "voiced_1p3s",
    "min_465",
    "len_3000",
    "silence_then_noise",
)
VARIANTS = {
    "as_published": {},
    "zero_pad": {"agg_zero_pad": True},
    "no_bias": {"no_conv_bias": True},
    "plain_norm": {"non_affine_group_norm": True},
    "gelu": {"activation": "gelu"},
    "scale": {"residual_scale": 0.3},
    "no_log": {"log_compression": False},
    "no_skip": {"skip_connections_agg": False},
    "widths": {"aggregator": [(5, 2, 1), (5, 3, 1), (7, 2, 1)]},
    "encoder_skips": {
        "skip_connections_feat": True,
        "encoder": [(4, 4, 3), (6, 3, 2), (6, 3, 2), (6, 1, 1)],
    },
}


@pytest.fixture(scope="module")
def published(shared_dir):
    return np.load(shared_dir / "parity" / "wav2vec_parity.npz")


@pytest.fixture(scope="module")
def model(shared_dir):
    path = shared_dir / "parity" / "wav2vec_small_random.pt"
    return model_of(read_checkpoint(path), prediction_head=True)


@pytest.fixture(scope="module")
def extractors(model):
    """Made once: each of them compiles."""
    return {output: Extractor(model, output) for output in "zc"}


@pytest.mark.parametrize("clip", CLIPS)
def test_published_z_and_c(published, model, extractors, clip):
    waveform = published[f"wav/{clip}"]
    z = model.encode(waveform[None])
    for expected, ours, output in (
        (published[f"A/{clip}/z"], z, "z"),
        (published[f"A/{clip}/c"], model.aggregate(z), "c"),
    ):
        np.testing.assert_allclose(ours[0], expected, atol=1e-5)
        fast = extractors[output](waveform)
        np.testing.assert_allclose(fast, expected, atol=1e-5)


def test_published_encoder_layers(published, model):
    outputs = list(model.encoder_outputs(published["wav/len_3000"][None]))
    assert len(outputs) == 7
    for layer, output in enumerate(outputs):
        expected = published[f"A/len_3000/feat_layer{layer}"]
        np.testing.assert_allclose(output[0], expected, atol=1e-5)


def test_padding_changes_every_frame(published, extractors):
    # The published measurement: why utterances are extracted unpadded.
    waveform = published["wav/silence_then_noise"]
    padded = np.pad(waveform, (0, 20_800 - len(waveform)))
    leak = extractors["c"](padded)[:73] - extractors["c"](waveform)
    assert np.abs(leak).max() > 0.1


@pytest.mark.parametrize("name", VARIANTS)
def test_settings_against_numpy(tiny, twin, name):
    changes = dict(VARIANTS[name])
    args, encoder, aggregator, weights = tiny(
        changes.pop("encoder", None), changes.pop("aggregator", None), **changes
    )
    settings = Wav2VecSettings.from_fairseq({**args, "aggregator": "cnn"})
    model = model_of(Wav2VecCheckpoint(settings, weights))
    waveform = np.random.default_rng(1).normal(size=101).astype(np.float32)
    z, c = twin(args, encoder, aggregator, weights, waveform)
    assert settings.num_frames(101) == z.shape[1] == c.shape[1]
    for expected, output in ((z, "z"), (c, "c")):
        ours = Extractor(model, output)(waveform)
        np.testing.assert_allclose(ours, expected.T, atol=2e-5)
    np.testing.assert_allclose(model(waveform[None])[0], c.T, atol=2e-5)


def test_pieces_make_the_whole(tiny, twin, monkeypatch):
    # Pieces of three frames, the last of them shorter.
    from tfrecords_builder.features.wav2vec import extraction

    monkeypatch.setattr(extraction, "_PIECE_FRAMES", 3)
    args, encoder, aggregator, weights = tiny()
    settings = Wav2VecSettings.from_fairseq(args)
    model = model_of(Wav2VecCheckpoint(settings, weights))
    # A constant offset would show a variance that cancels.
    waveform = np.random.default_rng(2).normal(size=130) + 20
    _, c = twin(args, encoder, aggregator, weights, waveform.astype(np.float32))
    ours = Extractor(model)(waveform)
    np.testing.assert_allclose(ours, c.T, atol=1e-4)


def test_shorter_than_a_frame(extractors):
    assert extractors["c"](np.ones(10, np.float32)).shape == (1, 32)


def test_size_of_wav2vec_large():
    # Counted from the settings, without making 32 million numbers.
    import tensorflow as tf

    with tf.init_scope(), tf.Graph().as_default():
        whole = Wav2Vec(Wav2VecSettings(), prediction_head=True)
        assert whole.count_params() == 32_537_088
        assert Wav2Vec(Wav2VecSettings()).count_params() == 29_390_848


def test_every_layer_is_compiled_once(caplog):
    """Also where many layers are compiled one after the other."""
    deep = Wav2VecSettings(
        encoder=((4, 10, 5), (4, 8, 4), *[(4, 2, 1)] * 5),
        aggregator=((4, 2, 1),),
    )
    extract = Extractor(Wav2Vec(deep))
    generator = np.random.default_rng(0)
    for samples in (3000, 4000):
        extract(generator.normal(size=samples).astype(np.float32))
    assert "retracing" not in caplog.text
    counts = [f.experimental_get_tracing_count() for f in extract._next]
    assert counts == [1] * 5
