"""Files written by `torch.save`, without torch: tensors become arrays.

Two layouts (little-endian, of any torch from 0.2 on):

    legacy  5 pickles: magic number, version, machine, object, storage keys;
            then for each key an int64 count and the numbers
    zip     NAME/data.pkl, and NAME/data/KEY with the numbers, uncompressed
"""

import io
import math
import mmap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfrecords_builder.errors import UsageError
from tfrecords_builder.features.wav2vec.pickled_data import (
    Storage,
    Tensor,
    read_pickle,
)

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001


class TorchFile:
    """An open file: its object, and the arrays that the object refers to.

    Attributes:
      content: Python values and `Tensor`; see `pickled_data`.

    Args:
      path: the file. Numbers are read when `array` is called, so what nobody
        wants (an optimiser's state) costs nothing.

    Raises:
      UsageError: when the file is of another format, is damaged, or asks for
        anything but data. Messages begin after the file's name.
    """

    def __init__(self, path: Path):
        with path.open("rb") as file:
            start = file.read(4)
            if len(start) < 4:
                raise UsageError("it is too short for a checkpoint.")
        is_zip = start == b"PK\x03\x04"
        self.content, self._numbers = (_open_zip if is_zip else _open_legacy)(
            path
        )

    def array(self, tensor: Tensor) -> np.ndarray:
        """A tensor's values, copied, in its own precision.

        Raises:
          UsageError: when the file does not hold them.
        """
        numbers = self._numbers(tensor.storage)
        shape, strides = tensor.shape, tensor.strides
        # Nothing outside the storage must be reached.
        sound = (
            len(shape) == len(strides)
            and min((0, tensor.offset, *shape, *strides)) >= 0
            and math.prod(shape) <= len(numbers)
        )
        if sound and math.prod(shape):
            last = tensor.offset + sum(
                (size - 1) * stride
                for size, stride in zip(shape, strides, strict=True)
            )
            sound = last < len(numbers)
        if not sound:
            raise UsageError("it is damaged: a tensor exceeds its storage.")
        return np.lib.stride_tricks.as_strided(
            numbers[tensor.offset :],
            shape,
            [stride * numbers.itemsize for stride in strides],
        ).copy()


# Gives a storage's numbers.
_Numbers = Callable[[Storage], np.ndarray]


def _open_legacy(path: Path) -> tuple[Any, _Numbers]:
    with path.open("rb") as opened:
        # Lives for as long as somebody holds a piece of it.
        file = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        is_torch = read_pickle(file) == _LEGACY_MAGIC
    except UsageError:
        is_torch = False
    if not is_torch:
        raise UsageError(
            "it is not a file of torch.save, nor one that this program wrote."
        )
    if (version := read_pickle(file)) != _LEGACY_VERSION:
        raise UsageError(f"its layout has the unknown version {version!r}.")
    machine = read_pickle(file)
    if not isinstance(machine, dict) or not machine.get("little_endian"):
        raise UsageError("it was written on a big-endian machine.")
    storages = {}
    content, keys = read_pickle(file, storages), read_pickle(file)
    start = file.tell()
    # The keys' numbers follow each other; where each begins depends on the
    # precision of those before, which only the object tells.
    places = {}
    if not isinstance(keys, list):
        raise UsageError("it is damaged: the list of storages is missing.")
    for key in keys:
        if not isinstance(key, str) or key not in storages:
            raise UsageError("it is damaged: a storage that nothing uses.")
        [count] = _numbers(file, start, "<i8", 1)
        if count != storages[key].size:
            raise UsageError("it is damaged: a storage of another size.")
        places[key] = start + 8
        start += 8 + int(count) * np.dtype(storages[key].dtype).itemsize

    def numbers(storage: Storage) -> np.ndarray:
        if storage.key not in places:
            raise UsageError("it is damaged: a storage is missing.")
        return _numbers(file, places[storage.key], storage.dtype, storage.size)

    return content, numbers


def _open_zip(path: Path) -> tuple[Any, _Numbers]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UsageError(f"it is damaged ({error}).") from error

    def member(name: str) -> bytes:
        try:
            # torch never compresses; what is compressed may be a bomb.
            if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
                raise UsageError(f"{name} in it is compressed.")
            return archive.read(name)
        except (KeyError, zipfile.BadZipFile, EOFError) as error:
            raise UsageError(f"it is damaged ({error}).") from error

    pickles = [n for n in archive.namelist() if n.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise UsageError(
            "it is a zip file, but not one of torch.save, nor one that this "
            "program wrote."
        )
    folder = pickles[0].removesuffix("/data.pkl")
    order = f"{folder}/byteorder"
    if order in archive.namelist() and member(order) != b"little":
        raise UsageError("it was written on a big-endian machine.")
    content = read_pickle(io.BytesIO(member(pickles[0])))

    def numbers(storage: Storage) -> np.ndarray:
        raw = member(f"{folder}/data/{storage.key}")
        return _numbers(raw, 0, storage.dtype, storage.size)

    return content, numbers


def _numbers(raw, start: int, dtype: str, count: int) -> np.ndarray:
    if count < 0 or start + count * np.dtype(dtype).itemsize > len(raw):
        raise UsageError("it is truncated.")
    return np.frombuffer(raw, dtype, count, start)
