"""Checkpoints in every layout; files that ask for more than data."""

import collections
import copyreg
import io
import os
import pickle
import struct
import subprocess
import zipfile

import numpy as np
import pytest

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.checkpoint import (
    Wav2VecCheckpoint,
    read_checkpoint,
    write_checkpoint,
)
from tfrecords_builder.features.wav2vec.loading import (
    checkpoint_of,
    model_of,
)
from tfrecords_builder.features.wav2vec.pickled_data import (
    PickleError,
    read_pickle,
)
from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings


def test_published_layouts_agree(shared_dir):
    folder = shared_dir / "parity"
    legacy = read_checkpoint(folder / "wav2vec_small_random.pt")
    zipped = read_checkpoint(folder / "wav2vec_small_random_zip.pt")
    half = read_checkpoint(folder / "wav2vec_small_random_fp16_legacy.pt")
    assert legacy.settings == zipped.settings == half.settings
    assert sum(array.size for array in legacy.weights.values()) == 128_928
    for name, array in legacy.weights.items():
        np.testing.assert_array_equal(array, zipped.weights[name])
        np.testing.assert_array_equal(
            array.astype(np.float16), half.weights[name]
        )
        assert half.weights[name].dtype == np.float32


@pytest.mark.parametrize("layout", ["legacy", "zip"])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_layouts(
    tmp_path, tiny, torch_save, tensor, fairseq_content, layout, protocol, dtype
):
    args, _, _, weights = tiny()
    path = tmp_path / "any.pt"
    # What training leaves is of other precision and never read; one of the
    # weights is a view that is not contiguous.
    left = {"state": {0: {"exp_avg": tensor(np.zeros(5, np.float32))}}}
    content = fairseq_content(
        args,
        {name: array.astype(dtype) for name, array in weights.items()},
        last_optimizer_state=left,
        extra_state={"val_loss": 0.5, "more": (1, [True, {}])},
    )
    name = "feature_extractor.conv_layers.1.0.weight"
    view = np.asfortranarray(weights[name].astype(dtype))
    flat = view.ravel("K")
    content["model"][name] = tensor(
        np.concatenate([np.full(3, 9, dtype), flat]),
        offset=3,
        shape=view.shape,
        strides=tuple(s // view.itemsize for s in view.strides),
    )
    torch_save(path, content, layout, protocol)
    read = read_checkpoint(path)
    assert read.settings == Wav2VecSettings.from_fairseq(args)
    assert set(read.weights) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(read.weights[name], array.astype(dtype))


def test_own_format_round_trip(tmp_path, tiny):
    args, _, _, weights = tiny(aggregator=[(5, 2, 1)])
    settings = Wav2VecSettings.from_fairseq({**args, "aggregator": "cnn"})
    model = model_of(Wav2VecCheckpoint(settings, weights), prediction_head=True)
    write_checkpoint(tmp_path / "mine.npz", checkpoint_of(model))
    read = read_checkpoint(tmp_path / "mine.npz")
    assert read.settings == settings
    assert set(read.weights) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(read.weights[name], array)


class Evil:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def attacks(marker):
    command = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    system = os.system.__module__
    nested = [{"deep": (Evil(os.system, command),)}]
    text = command.encode()
    return {
        "system": pickle.dumps(Evil(os.system, command), 2),
        "popen": pickle.dumps(Evil(subprocess.Popen, command.split()), 2),
        "eval": pickle.dumps(Evil(eval, code), 4),
        "exec": pickle.dumps(Evil(exec, code), 0),
        "getattr": pickle.dumps(Evil(getattr, "", "join"), 4),
        "nested": pickle.dumps({"args": None, "extra": nested}, 3),
        "inst": b"(S'" + text + b"'\ni" + system.encode() + b"\nsystem\n.",
        "obj": b"(c" + system.encode() + b"\nsystem\nX"
        + struct.pack("<I", len(text)) + text + b"o.",
        "extension": b"\x80\x02\x82\xf0)R.",
        "dotted": b"\x80\x04\x8c\x0ctorch._utils\x8c\x1f"
        b"_rebuild_tensor_v2.__globals__x\x93.",
        "class_state": b"\x80\x02ccollections\nOrderedDict\nN}X\x01\0\0\0aK\x01"
        b"s\x86b.",
        "call_of_data": b"\x80\x02cargparse\nNamespace\n)\x81)R.",
        "namespace_with_values": b"\x80\x02cargparse\nNamespace\n]\x85R.",
    }  # fmt: skip


@pytest.mark.parametrize("name", attacks("x"))
@pytest.mark.parametrize("place", ["first", "object", "zip"])
def test_malicious_files_execute_nothing(tmp_path, monkeypatch, name, place):
    marker, path = tmp_path / "marker", tmp_path / "evil.pt"
    copyreg.add_extension(system := os.system.__module__, "system", 0xF0)
    try:
        attack = attacks(marker)[name]
        start = [pickle.dumps(n, 2) for n in (0x1950A86A20F9469CFC6C, 1001)]
        machine = pickle.dumps({"little_endian": True}, 2)
        if place == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("evil/data.pkl", attack)
        else:
            before = [] if place == "first" else [*start, machine]
            path.write_bytes(b"".join([*before, attack]))
        with pytest.raises(UsageError, match=r"evil\.pt cannot be used"):
            read_checkpoint(path)
    finally:
        copyreg.remove_extension(system, "system", 0xF0)
    assert not marker.exists()


def test_a_global_that_is_refused_is_named():
    with pytest.raises(PickleError, match=r"system.*nothing was executed"):
        read_pickle(io.BytesIO(pickle.dumps(Evil(os.system, "true"))))


def test_an_attribute_named_like_code_stays_data():
    # Namespace's state is a dictionary here, whatever its keys.
    state = {"__class__": 1, "__setstate__": 2, "__reduce__": 3}
    raw = b"\x80\x02cargparse\nNamespace\n)\x81" + pickle.dumps(state, 2)[2:-1]
    assert read_pickle(io.BytesIO(raw + b"b.")).fields == state


def test_training_meters_are_left_alone():
    raw = b"\x80\x02cfairseq.meters\nAverageMeter\n)\x81}X\x01\0\0\0aK\x01sb."
    assert not hasattr(read_pickle(io.BytesIO(raw)), "a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": 1},
        {"offset": -1},
        {"shape": (2**40,), "strides": (0,)},
        {"shape": (2,), "strides": (2**61,)},
        {"shape": (4,), "strides": (-1,)},
        {"shape": (4,), "strides": (1, 1)},
    ],
)
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path, tiny, torch_save, tensor, fairseq_content, wrong
):
    args, _, _, weights = tiny()
    content = fairseq_content(args, weights)
    numbers = np.zeros(4, np.float32)
    content["model"]["bad"] = tensor(numbers, **wrong)
    torch_save(tmp_path / "bad.pt", content)
    with pytest.raises(UsageError, match="exceeds its storage"):
        read_checkpoint(tmp_path / "bad.pt")


def test_every_cut_is_refused(tmp_path, tiny, torch_save, fairseq_content):
    args, _, _, weights = tiny()
    for layout in ("legacy", "zip"):
        path = tmp_path / f"{layout}.pt"
        torch_save(path, fairseq_content(args, weights), layout)
        raw = path.read_bytes()
        for length in (0, 3, 40, len(raw) // 2, len(raw) - 1):
            path.write_bytes(raw[:length])
            with pytest.raises(UsageError, match="cannot be used"):
                read_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"args": {"arch": "wav2vec2"}}, "transformers:NAME"),
        ({"args": {"conv_feature_layers": "exec('1')"}}, "must read like"),
        ({"model": None}, "holds no model"),
        ({"args": None}, "holds no args"),
    ],
)
def test_other_checkpoints_are_refused(
    tmp_path, tiny, torch_save, fairseq_content, change, message
):
    args, _, _, weights = tiny()
    content = fairseq_content(args, weights)
    if isinstance(change.get("args"), dict):
        vars(content["args"]).update(change["args"])
    else:
        content.update(change)
    torch_save(tmp_path / "other.pt", content)
    with pytest.raises(UsageError, match=message):
        read_checkpoint(tmp_path / "other.pt")


def test_weights_must_fit_the_settings(tiny):
    args, _, _, weights = tiny()
    settings = Wav2VecSettings.from_fairseq(args)
    name = next(iter(weights))
    for changed, message in (
        ({k: v for k, v in weights.items() if k != name}, "lacks 1 of"),
        ({**weights, name: weights[name][:5]}, r"has the shape \(5, 1, 4\)"),
        ({**weights, "vector_quantizer.vars": np.ones(1)}, "has not"),
        ({**weights, name: weights[name] * np.nan}, "not finite"),
    ):
        with pytest.raises(UsageError, match=message):
            model_of(Wav2VecCheckpoint(settings, changed))


def test_compressed_and_foreign_archives_are_refused(tmp_path):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"0" * 10_000)
    with pytest.raises(UsageError, match="compressed"):
        read_checkpoint(path)
    np.savez(path.with_suffix(".npz"), a=np.ones(3))
    with pytest.raises(UsageError, match="not one of torch"):
        read_checkpoint(path.with_suffix(".npz"))
    objects = np.array([collections.OrderedDict()], dtype=object)
    np.savez(path.with_suffix(".npz"), settings=objects)
    with pytest.raises(UsageError, match="damaged"):
        read_checkpoint(path.with_suffix(".npz"))


def test_no_file():
    with pytest.raises(UsageError, match="no wav2vec checkpoint"):
        read_checkpoint("nowhere.pt")
