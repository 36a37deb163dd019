"""An independent wav2vec in NumPy, and files like torch's, without torch."""

import argparse
import collections
import io
import math
import pickle
import struct
import sys
import types
import zipfile

import numpy as np
import pytest

# fairseq's args of a tiny network; a test changes some.
ARGS = {
    "arch": "wav2vec",
    "task": "speech_pretraining",
    "conv_feature_layers": "[(6, 4, 3), (6, 3, 2)] + [(6, 1, 1)]",
    "conv_aggregator_layers": "[(6, 2, 1), (6, 3, 1)]",
    "aggregator": "cnn",
    "skip_connections_feat": False,
    "skip_connections_agg": True,
    "residual_scale": 0.5,
    "log_compression": True,
    "agg_zero_pad": False,
    "no_conv_bias": False,
    "non_affine_group_norm": False,
    "offset": "auto",
    "prediction_steps": 3,
}


def state_dict(args, encoder, aggregator):
    """Random weights in torch's layout for layers of (channels, k, stride)."""
    rng = np.random.default_rng(7)
    weights = {}

    def normal(name, *shape):
        weights[name] = rng.normal(size=shape).astype(np.float32)

    def norm(prefix, size):
        if not args["non_affine_group_norm"]:
            normal(f"{prefix}.weight", size)
            normal(f"{prefix}.bias", size)

    width = 1
    for i, (channels, kernel, _) in enumerate(encoder):
        prefix = f"feature_extractor.conv_layers.{i}"
        normal(f"{prefix}.0.weight", channels, width, kernel)
        norm(f"{prefix}.2", channels)
        width = channels
    z_size = width
    for i, (channels, kernel, _) in enumerate(aggregator):
        prefix = f"feature_aggregator.conv_layers.{i}"
        normal(f"{prefix}.1.weight", channels, width, kernel)
        if not args["no_conv_bias"]:
            normal(f"{prefix}.1.bias", channels)
        norm(f"{prefix}.3", channels)
        if args["skip_connections_agg"] and channels != width:
            prefix = f"feature_aggregator.residual_proj.{i}"
            normal(f"{prefix}.weight", channels, width, 1)
        width = channels
    prefix = "wav2vec_predictions.project_to_steps"
    normal(f"{prefix}.weight", width, z_size, 1, args["prediction_steps"])
    normal(f"{prefix}.bias", z_size)
    return weights


def numpy_wav2vec(args, encoder, aggregator, weights, waveform):
    """(z, c), each (channels, frames), by loops and in double precision."""

    def block(x, weight, stride, bias, gamma, beta):
        kernel = weight.shape[2]
        starts = range(0, x.shape[1] - kernel + 1, stride)
        y = np.stack(
            [np.tensordot(weight, x[:, t : t + kernel], 2) for t in starts], 1
        )
        y = y + bias[:, None]
        y = (y - y.mean()) / np.sqrt(y.var() + 1e-5)
        y = y * gamma[:, None] + beta[:, None]
        if args.get("activation", "relu") == "relu":
            return np.maximum(y, 0)
        return 0.5 * y * (1 + np.vectorize(math.erf)(y / math.sqrt(2)))

    def get(name, size, default):
        return weights.get(name, np.full(size, default)).astype(np.float64)

    scale = math.sqrt(args["residual_scale"])
    x = np.asarray(waveform, np.float64)[None]
    for i, (size, _, stride) in enumerate(encoder):
        prefix, before = f"feature_extractor.conv_layers.{i}", x
        x = block(
            x,
            weights[f"{prefix}.0.weight"].astype(np.float64),
            stride,
            np.zeros(size),
            get(f"{prefix}.2.weight", size, 1),
            get(f"{prefix}.2.bias", size, 0),
        )
        if args["skip_connections_feat"] and len(before) == len(x):
            step = before.shape[1] // x.shape[1]
            x = (x + before[:, ::step][:, : x.shape[1]]) * scale
    if args["log_compression"]:
        x = np.log(np.abs(x) + 1)
    z = x
    for i, (size, kernel, stride) in enumerate(aggregator):
        prefix, before = f"feature_aggregator.conv_layers.{i}", x
        first = 0 * x[:, :1] if args["agg_zero_pad"] else x[:, :1]
        x = block(
            np.concatenate([first] * (kernel - 1) + [x], 1),
            weights[f"{prefix}.1.weight"].astype(np.float64),
            stride,
            get(f"{prefix}.1.bias", size, 0),
            get(f"{prefix}.3.weight", size, 1),
            get(f"{prefix}.3.bias", size, 0),
        )
        if args["skip_connections_agg"]:
            projection = f"feature_aggregator.residual_proj.{i}.weight"
            if projection in weights:
                before = weights[projection][..., 0] @ before
            x = (x + before) * scale
    return z, x


class Tensor:
    """What `torch.save` pickles; also views and storages that are wrong."""

    def __init__(self, array, **wrong):
        self.array, self.wrong = array, wrong

    def __reduce__(self):
        strides = [s // self.array.itemsize for s in self.array.strides]
        part = {
            "offset": 0,
            "shape": self.array.shape,
            "strides": tuple(strides),
            **self.wrong,
        }
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        hooks = collections.OrderedDict()
        storage = Storage(self.array)
        values = (part["offset"], part["shape"], part["strides"], False, hooks)
        return rebuild, (storage, *values)


class Storage:
    def __init__(self, array):
        self.array = array


class TorchPickler(pickle.Pickler):
    def __init__(self, file, arrays, protocol):
        super().__init__(file, protocol)
        self.arrays = arrays

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        key = str(len(self.arrays))
        self.arrays[key] = value.array
        kind = {"f4": "FloatStorage", "f2": "HalfStorage"}[
            value.array.dtype.str[1:]
        ]
        storage = getattr(sys.modules["torch"], kind)
        return ("storage", storage, key, "cpu", value.array.size, None)


@pytest.fixture
def torch_save(monkeypatch):
    """Writes (path, object, layout) like torch; the layout: legacy or zip."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        raise AssertionError("reading must not call it")

    for module, each in (
        (torch, type("FloatStorage", (), {})),
        (torch, type("HalfStorage", (), {})),
        (utils, _rebuild_tensor_v2),
    ):
        each.__module__ = module.__name__
        each.__qualname__ = each.__name__
        setattr(module, each.__name__, each)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def save(path, content, layout="legacy", protocol=2, **members):
        arrays, buffer = {}, io.BytesIO()
        TorchPickler(buffer, arrays, protocol).dump(content)
        if layout == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("name/data.pkl", buffer.getvalue())
                archive.writestr("name/byteorder", "little")
                for key, array in arrays.items():
                    archive.writestr(f"name/data/{key}", array.tobytes())
            return
        machine = {"protocol_version": 1001, "little_endian": True}
        with path.open("wb") as file:
            for each in (0x1950A86A20F9469CFC6C, 1001, machine):
                pickle.dump(each, file, 2)
            file.write(buffer.getvalue())
            pickle.dump(list(arrays), file, 2)
            for array in arrays.values():
                file.write(struct.pack("<q", array.size) + array.tobytes())

    return save


@pytest.fixture
def tensor():
    """The class that stands for a tensor in `torch_save`."""
    return Tensor


@pytest.fixture
def tiny():
    """Makes (args, encoder, aggregator, weights) of a small network."""

    def make(encoder=None, aggregator=None, **changes):
        args = {**ARGS, **changes}
        encoder = encoder or [(6, 4, 3), (6, 3, 2), (6, 1, 1)]
        aggregator = aggregator or [(6, 2, 1), (6, 3, 1)]
        args["conv_feature_layers"] = str(encoder)
        args["conv_aggregator_layers"] = str(aggregator)
        weights = state_dict(args, encoder, aggregator)
        return args, encoder, aggregator, weights

    return make


@pytest.fixture
def twin():
    """The independent network."""
    return numpy_wav2vec


@pytest.fixture
def fairseq_content():
    """A checkpoint's object: args, weights and what training leaves."""

    def make(args, weights, **others):
        return {
            "args": argparse.Namespace(**args),
            "model": collections.OrderedDict(
                (name, Tensor(array)) for name, array in weights.items()
            ),
            "optimizer_history": [{"num_updates": 3, "best": None}],
            **others,
        }

    return make
