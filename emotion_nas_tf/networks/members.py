"""Members: the networks of an ensemble, in folders of the system's own.

    retrained/network.json               what the ensemble is
      member_1/network.json, network.weights.h5
      member_2/ ...

A system with such folders is an ensemble, one without them a single network.
Pure: no TensorFlow.
"""

import hashlib
from pathlib import Path

from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import sha256

_PREFIX = "member_"


def member_folder(folder: Path, number: int) -> Path:
    """Where member `number`, from 1, of the system in `folder` lies."""
    return folder / f"{_PREFIX}{number}"


def has_members(folder: Path) -> bool:
    """Whether the system in `folder` is an ensemble, damaged or not."""
    return any(path.is_dir() for path in folder.glob(f"{_PREFIX}*"))


def members_of(folder: Path) -> list[Path]:
    """The members' folders in order; none for a single network.

    Args:
      folder: the system's.

    Raises:
      WorkError: when one of them is missing.
    """
    numbers = [
        path.name.removeprefix(_PREFIX)
        for path in folder.glob(f"{_PREFIX}*")
        if path.is_dir()
    ]
    found = [
        member_folder(folder, number) for number in range(1, len(numbers) + 1)
    ]
    if {path.name.removeprefix(_PREFIX) for path in found} != {*numbers}:
        raise WorkError(
            f"{folder} is a damaged ensemble: it holds the members "
            f"{', '.join(sorted(numbers))}. `python -m "
            "emotion_nas_tf.ensemble` with the same flags makes it anew."
        )
    return found


def digest_of_weights(folder: Path, name: str) -> str:
    """Digest of a system's weights, of all members' in an ensemble.

    Args:
      folder: the system's.
      name: of a network's file of weights.

    Raises:
      FileNotFoundError: when there are none.
    """
    members = members_of(folder)
    if not members:
        return sha256(folder / name)
    digests = [sha256(member / name) for member in members]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
