"""`transformers`: encoders newer than wav2vec, through that package.

wav2vec 2.0, HuBERT, WavLM and data2vec take the waveform, Whisper's encoder
log-mel frames of 30 s. The package and torch are optional:
`pip install .[transformers]`.
"""

import contextlib
import hashlib
import json
from typing import Any

import numpy as np

from tfrecords_builder.errors import UsageError

MODEL_TYPES = ("wav2vec2", "hubert", "wavlm", "data2vec-audio", "whisper")
_SAMPLE_RATE_HZ = 16_000
# Whisper's second convolution halves its frames.
_WHISPER_HOP = 2
# Weights that only training reads, or only Whisper's decoder.
_UNUSED_WEIGHTS = ("masked_spec_embed", "decoder.")
# Where a model was and with what it was saved: not what it computes.
_NOT_HASHED = ("_name_or_path", "transformers_version", "dtype")


class TransformerFrames:
    """Waveform to hidden states: (samples,) to (frames, size) float32.

    Args:
      name: a model's folder, or its name on the Hugging Face hub, from which
        the package downloads it into its own cache.
      layer: `last`, `mean` (of all layers' outputs and what enters the first)
        or a layer's number; 0 is what enters the first.

    Raises:
      UsageError: when torch or transformers is missing, the model cannot be
        had, is of another kind, lacks weights, or has no such layer.
    """

    def __init__(self, name: str, layer: str = "last"):
        torch, transformers = _packages()
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        with _explained(name):
            config = transformers.AutoConfig.from_pretrained(name)
        if config.model_type not in MODEL_TYPES:
            raise UsageError(
                f"{name} is a {config.model_type}; of transformers, "
                f"{', '.join(MODEL_TYPES)} are supported."
            )
        self._layer = _check_layer(name, layer, config.num_hidden_layers)
        with _explained(name):
            self._prepare = transformers.AutoFeatureExtractor.from_pretrained(
                name
            )
            model, info = transformers.AutoModel.from_pretrained(
                name, dtype=torch.float32, output_loading_info=True
            )
        missing = [
            key
            for key in info["missing_keys"]
            if not key.startswith(_UNUSED_WEIGHTS)
        ]
        if missing:
            raise UsageError(
                f"{name} lacks {len(missing)} weights, for example "
                f"{sorted(missing)[0]}; they would be random."
            )
        if self._prepare.sampling_rate != _SAMPLE_RATE_HZ:
            raise UsageError(
                f"{name} wants audio of {self._prepare.sampling_rate} Hz; "
                f"only {_SAMPLE_RATE_HZ} is supported."
            )
        self._torch = torch
        self._is_whisper = config.model_type == "whisper"
        self._model = model.get_encoder() if self._is_whisper else model
        self._model.eval()
        self._shortest = _receptive_field(config)
        self.size = config.hidden_size
        self.digest = _digest(self._model, config, self._prepare)

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """Frames of an unpadded utterance at 16 kHz, 20 ms apart."""
        waveform = np.asarray(waveform, np.float32)
        missing = max(0, self._shortest - len(waveform))
        waveform = np.pad(waveform, (0, missing))
        if not self._is_whisper:
            return self._encode(waveform)
        # Longer audio than Whisper takes at once comes in pieces.
        length = self._prepare.n_samples
        hop = self._prepare.hop_length * _WHISPER_HOP
        pieces = []
        for start in range(0, len(waveform), length):
            piece = waveform[start : start + length]
            # The rest is of the zeros to which Whisper pads.
            pieces.append(self._encode(piece)[: -(-len(piece) // hop)])
        return np.concatenate(pieces)

    def _encode(self, waveform: np.ndarray) -> np.ndarray:
        prepared = self._prepare(
            waveform, sampling_rate=_SAMPLE_RATE_HZ, return_tensors="pt"
        )
        inputs = prepared[self._prepare.model_input_names[0]]
        with self._torch.no_grad():
            outputs = self._model(inputs, output_hidden_states=True)
            if self._layer == "last":
                states = outputs.last_hidden_state
            elif self._layer == "mean":
                states = self._torch.stack(outputs.hidden_states).mean(0)
            else:
                states = outputs.hidden_states[self._layer]
        return states[0].numpy()


def _packages() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise UsageError(
            f"--sequence_features=transformers:NAME needs {error.name}: "
            "pip install '.[transformers]' in this project's folder. Without "
            "it, wav2vec and logmel work."
        ) from error
    return torch, transformers


@contextlib.contextmanager
def _explained(name: str):
    """Turns the package's many errors into one of ours."""
    try:
        yield
    # Its own errors: no such model, no network, no file of that kind.
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = str(error).strip().splitlines()
        raise UsageError(
            f"transformers cannot load {name}: {(first or ['?'])[0]} Give the "
            "folder of a saved model, or a name on the hub while there is a "
            "network."
        ) from error


def _check_layer(name: str, layer: str, num_layers: int) -> str | int:
    if layer in ("last", "mean"):
        return layer
    if not layer.isdecimal() or int(layer) > num_layers:
        raise UsageError(
            f"{name} has the layers 0 to {num_layers}, last and mean. "
            f"Received: {layer!r}"
        )
    return int(layer)


def _receptive_field(config: Any) -> int:
    """Samples that the convolutions before the transformer need; or 1."""
    field, hop = 1, 1
    for kernel, stride in zip(
        getattr(config, "conv_kernel", ()),
        getattr(config, "conv_stride", ()),
        strict=True,
    ):
        field += (kernel - 1) * hop
        hop *= stride
    return field


def _digest(model: Any, config: Any, prepare: Any) -> str:
    """Hex digest of weights and settings, wherever they came from."""
    settings = [
        {
            key: value
            for key, value in each.to_dict().items()
            if key not in _NOT_HASHED
        }
        for each in (config, prepare)
    ]
    digest = hashlib.sha256(
        json.dumps(settings, sort_keys=True, default=str).encode()
    )
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
