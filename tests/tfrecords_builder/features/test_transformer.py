"""Encoders of transformers without the package: choice of layer, errors.

The stand-in's hidden states are its input times 1, 2 and 3. Real models are
in test_transformer_models.py, for where the packages are installed.
"""

import contextlib
import sys
import types

import numpy as np
import pytest

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.transformer import TransformerFrames


class States(np.ndarray):
    def numpy(self):
        return np.asarray(self)


class Config(types.SimpleNamespace):
    def to_dict(self):
        return dict(vars(self))


class Model:
    def __init__(self, missing):
        self.missing = missing

    def eval(self):
        pass

    def get_encoder(self):
        return self

    def state_dict(self):
        return {}

    def __call__(self, inputs, output_hidden_states):
        assert output_hidden_states
        frames = inputs.reshape(1, -1, 2)
        states = [(frames * factor).view(States) for factor in (1, 2, 3)]
        return types.SimpleNamespace(
            hidden_states=states, last_hidden_state=states[-1] + 10
        )


class Prepare(Config):
    def __call__(self, waveform, sampling_rate, return_tensors):
        if self.pads:
            waveform = np.pad(waveform, (0, self.n_samples - len(waveform)))
        return {"input_values": waveform}


@pytest.fixture
def fake(monkeypatch):
    """Replaces both packages."""

    def make(model_type="hubert", missing=(), **prepare):
        config = Config(
            model_type=model_type, num_hidden_layers=2, hidden_size=2
        )
        fields = {
            "sampling_rate": 16_000,
            "model_input_names": ["input_values"],
            "pads": model_type == "whisper",
            "n_samples": 8,
            "hop_length": 1,
        }
        prepare = Prepare(**{**fields, **prepare})

        def auto(value):
            def from_pretrained(name, **_):
                if name == "nowhere":
                    raise OSError("not found\nsecond line")
                return value

            return types.SimpleNamespace(from_pretrained=from_pretrained)

        modules = {
            "torch": {
                "float32": "float32",
                "no_grad": contextlib.nullcontext,
                "stack": lambda states: np.stack(states).view(States),
            },
            "transformers": {
                "logging": types.SimpleNamespace(
                    set_verbosity_error=int, disable_progress_bar=int
                ),
                "AutoConfig": auto(config),
                "AutoFeatureExtractor": auto(prepare),
                "AutoModel": auto((Model(missing), {"missing_keys": missing})),
            },
        }
        for name, content in modules.items():
            module = types.ModuleType(name)
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, name, module)

    return make


WAVEFORM = np.arange(12, dtype=np.float32)


@pytest.mark.parametrize(
    ("layer", "factor", "more"),
    [("last", 3, 10), ("mean", 2, 0), ("0", 1, 0), ("2", 3, 0)],
)
def test_choice_of_layer(fake, layer, factor, more):
    fake()
    frames = TransformerFrames("any", layer)(WAVEFORM)
    np.testing.assert_array_equal(
        frames, WAVEFORM.reshape(6, 2) * factor + more
    )


def test_whisper_keeps_the_frames_of_real_audio(fake):
    # Pieces of 8 samples, 2 a frame: 4 frames, and 2 of the last piece's 4.
    fake("whisper")
    frames = TransformerFrames("any", "0")(WAVEFORM[:11])
    np.testing.assert_array_equal(
        frames, np.pad(WAVEFORM[:11], (0, 1)).reshape(6, 2)
    )


@pytest.mark.parametrize(
    ("name", "layer", "made", "message"),
    [
        ("any", "3", {}, "layers 0 to 2"),
        ("any", "last", {"model_type": "bert"}, "is a bert"),
        ("any", "last", {"sampling_rate": 8000}, "8000 Hz"),
        ("any", "last", {"missing": ["encoder.x"]}, "would be random"),
        ("nowhere", "last", {}, r"cannot load nowhere: not found Give"),
    ],
)
def test_what_cannot_be_used(fake, name, layer, made, message):
    fake(**made)
    with pytest.raises(UsageError, match=message):
        TransformerFrames(name, layer)


def test_weights_of_training_may_be_missing(fake):
    fake(missing=["masked_spec_embed", "decoder.layers.0.weight"])
    assert TransformerFrames("any")(WAVEFORM).shape == (6, 2)


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_without_the_package(fake, monkeypatch, package):
    fake()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"needs {package}: pip install"):
        TransformerFrames("any")
