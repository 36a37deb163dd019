"""Checkpoints of wav2vec 1.0: fairseq's are read, our own written too.

fairseq's are files of `torch.save` (`torch_file`). Ours is a NumPy archive
with the same names of the weights and the settings as JSON.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.pickled_data import Record, Tensor
from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings
from tfrecords_builder.features.wav2vec.torch_file import TorchFile
from tfrecords_builder.files import replacing

_SETTINGS_KEY = "settings"


@dataclass(frozen=True, eq=False)
class Wav2VecCheckpoint:
    """What a checkpoint holds.

    Attributes:
      settings: the network's shape.
      weights: float32 arrays by fairseq's names, in fairseq's layout.
    """

    settings: Wav2VecSettings
    weights: dict[str, np.ndarray]


def read_checkpoint(path: Path) -> Wav2VecCheckpoint:
    """Reads a checkpoint; executes nothing that is in it.

    Args:
      path: a fairseq wav2vec 1.0 checkpoint (any layout of `torch.save`,
        float32 or float16), or one of `write_checkpoint`.

    Raises:
      UsageError: when there is no such file, or it is none of these.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"There is no wav2vec checkpoint {path}.")
    try:
        if _is_ours(path):
            return _read_ours(path)
        return _read_fairseq(path)
    except UsageError as error:
        raise UsageError(
            f"The wav2vec checkpoint {path} cannot be used: {error}"
        ) from error


def read_settings(path: Path) -> Wav2VecSettings:
    """The settings of a checkpoint, as `read_checkpoint` reads them."""
    return read_checkpoint(path).settings


def write_checkpoint(path: Path, checkpoint: Wav2VecCheckpoint) -> None:
    """Writes our own format, whole or not at all."""
    settings = json.dumps(checkpoint.settings.to_json())
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            **{_SETTINGS_KEY: np.array(settings)},
            **checkpoint.weights,
        )


def _is_ours(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return f"{_SETTINGS_KEY}.npy" in archive.namelist()


def _read_ours(path: Path) -> Wav2VecCheckpoint:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        text = str(arrays.pop(_SETTINGS_KEY))
        settings = Wav2VecSettings.from_json(json.loads(text))
    except (
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise UsageError(f"it is damaged ({error}).") from error
    return Wav2VecCheckpoint(settings, arrays)


def _read_fairseq(path: Path) -> Wav2VecCheckpoint:
    file = TorchFile(path)
    content = file.content
    if not isinstance(content, dict) or not isinstance(
        content.get("model"), dict
    ):
        raise UsageError("it holds no model.")
    args = content.get("args")
    if not isinstance(args, Record):
        raise UsageError(
            "it holds no args, from which fairseq's wav2vec 1.0 is built."
        )
    if (arch := args.fields.get("arch", "wav2vec")) != "wav2vec":
        raise UsageError(
            f"its network is a {arch}, not wav2vec 1.0. For wav2vec 2.0 and "
            "later, see --sequence_features=transformers:NAME."
        )
    settings = Wav2VecSettings.from_fairseq(args.fields)
    weights = {}
    for name, tensor in content["model"].items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise UsageError("its model is no table of tensors.")
        weights[name] = file.array(tensor).astype(np.float32)
    return Wav2VecCheckpoint(settings, weights)
