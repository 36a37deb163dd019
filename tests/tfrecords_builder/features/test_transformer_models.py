"""Tiny random models of transformers, made, saved and read back."""

import numpy as np
import pytest
import torch
import transformers

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.transformer import TransformerFrames

WAVEFORM = np.random.default_rng(0).normal(scale=0.1, size=5_000)
WAVEFORM = WAVEFORM.astype(np.float32)
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 8),
    "conv_stride": (5, 4),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
MODELS = {
    "wav2vec2": ("Wav2Vec2Config", SIZES),
    "hubert": ("HubertConfig", SIZES),
    "wavlm": ("WavLMConfig", SIZES),
    "data2vec-audio": (
        "Data2VecAudioConfig",
        {**SIZES, "conv_pos_kernel_size": 3},
    ),
    "whisper": (
        "WhisperConfig",
        {
            "d_model": 16,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 20,
            "decoder_layers": 1,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 20,
            "max_source_positions": 50,
            "vocab_size": 20,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        },
    ),
}


@pytest.fixture
def saved(tmp_path):
    """Saves a model; its folder and the model."""

    def save(kind):
        torch.manual_seed(0)
        name, fields = MODELS[kind]
        config = getattr(transformers, name)(**fields)
        model = transformers.AutoModel.from_config(config).eval()
        if kind == "whisper":
            prepare = transformers.WhisperFeatureExtractor(chunk_length=1)
        else:
            prepare = transformers.Wav2Vec2FeatureExtractor()
        folder = tmp_path / kind
        model.save_pretrained(folder)
        prepare.save_pretrained(folder)
        return str(folder), model

    return save


@pytest.mark.parametrize("kind", [k for k in MODELS if k != "whisper"])
def test_layers_of_models_of_waveforms(saved, kind):
    folder, model = saved(kind)
    # The package's own feature extractor normalises to mean 0, variance 1.
    normal = (WAVEFORM - WAVEFORM.mean()) / np.sqrt(WAVEFORM.var() + 1e-7)
    with torch.no_grad():
        outputs = model(
            torch.tensor(normal)[None].float(), output_hidden_states=True
        )
    states = [state[0].numpy() for state in outputs.hidden_states]
    assert len(states) == 3
    expected = {
        "last": outputs.last_hidden_state[0].numpy(),
        "mean": sum(states) / 3,
        "0": states[0],
        "1": states[1],
    }
    for layer, features in expected.items():
        frames = TransformerFrames(folder, layer)
        assert frames.size == 16
        np.testing.assert_allclose(frames(WAVEFORM), features, atol=1e-5)
    assert frames(WAVEFORM[:3]).shape == (1, 16)


def test_whispers_encoder_in_pieces_of_its_length(saved):
    folder, model = saved("whisper")
    frames = TransformerFrames(folder)
    long = np.tile(WAVEFORM, 5)  # 25,000 samples; a piece has 16,000.
    features = frames(long)
    assert features.shape == (50 + 29, 16)
    prepare = transformers.WhisperFeatureExtractor(chunk_length=1)
    mel = prepare(long[16_000:], sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        end = model.encoder(mel.input_features).last_hidden_state[0, :29]
    np.testing.assert_allclose(features[50:], end.numpy(), atol=1e-5)


def test_the_digest_is_of_the_weights(saved, tmp_path):
    folder, model = saved("hubert")
    first = TransformerFrames(folder).digest
    copy = tmp_path / "copy"
    model.save_pretrained(copy)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(copy)
    assert TransformerFrames(str(copy)).digest == first
    with torch.no_grad():
        model.encoder.layer_norm.bias += 1
    model.save_pretrained(copy)
    assert TransformerFrames(str(copy)).digest != first


def test_what_cannot_be_used(saved, tmp_path):
    folder, _ = saved("hubert")
    with pytest.raises(UsageError, match="layers 0 to 2, last and mean"):
        TransformerFrames(folder, "3")
    with pytest.raises(UsageError, match="cannot load"):
        TransformerFrames(str(tmp_path / "nowhere"))
    config = transformers.BertConfig(
        hidden_size=4, num_hidden_layers=1, num_attention_heads=1
    )
    config.save_pretrained(tmp_path / "bert")
    with pytest.raises(UsageError, match="is a bert; of transformers"):
        TransformerFrames(str(tmp_path / "bert"))
