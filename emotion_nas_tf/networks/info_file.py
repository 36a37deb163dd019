"""`network.json`: what a trained system is, and that it is there.

Every system's folder has one, written last. What it says depends on the kind
of system; whether it is there, and readable by this release, does not.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_nas_tf.run_directory import INFO_NAME
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, write_json

_VERSION_KEY = "schema_version"


def write_info(
    folder: Path, fields: Mapping[str, object], schema_version: int
) -> None:
    """Writes `network.json`: from now on the system exists.

    Args:
      folder: the system's.
      fields: what it is, as JSON has it.
      schema_version: of the fields.
    """
    write_json(folder / INFO_NAME, {**fields, _VERSION_KEY: schema_version})


def read_info(
    folder: Path,
    title: str,
    maker: str,
    schema_version: int,
    kind: type,
) -> dict[str, Any]:
    """Reads the fields that `write_info` wrote.

    Args:
      folder: the system's, or a member's of an ensemble.
      title: the system in a message, e.g. `trained lstm network`.
      maker: arguments of `python -m` that make the system.
      schema_version: of the fields that the caller understands.
      kind: the dataclass whose fields they are, no more and no fewer.

    Raises:
      UsageError: when the system is not there or was written by another
        release.
      WorkError: when the file is damaged.
    """
    path = folder / INFO_NAME
    again = f"`python -m {maker}` with the same --run_dir and --fold"
    if not path.is_file():
        raise UsageError(f"There is no {title} in {folder}. {again} makes it.")
    fields = read_json(path)
    version = fields.pop(_VERSION_KEY, None)
    differing = {field.name for field in dataclasses.fields(kind)} ^ set(fields)
    if version != schema_version or differing:
        which = f" ({', '.join(sorted(differing))})" if differing else ""
        raise UsageError(
            f"{path} was written by another release of this program{which}. "
            f"Use that release, or remove the file: {again} makes it anew."
        )
    return fields
