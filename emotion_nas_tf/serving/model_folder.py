"""What an exported model's folder must hold. Pure: no TensorFlow."""

import hashlib
from pathlib import Path

from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, sha256

METADATA_NAME = "metadata.json"


def is_saved_model(folder: Path) -> bool:
    """Whether there is a SavedModel in `folder`."""
    return (folder / "saved_model.pb").is_file()


def exported_system(folder: Path) -> str | None:
    """Which network a folder's model was made of; None without a model."""
    path = folder / "assets" / METADATA_NAME
    if not is_saved_model(folder) or not path.is_file():
        return None
    return read_json(path).get("system")


def model_digest(folder: Path) -> str:
    """Short hex digest of every file of the model."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name} {sha256(path)}\n".encode())
    return digest.hexdigest()[:16]


def check_model_folder(folder: Path) -> None:
    """Asks for a model where there is none, before TensorFlow is loaded.

    Raises:
      UsageError: when `folder` holds no SavedModel.
    """
    if not is_saved_model(folder):
        raise UsageError(
            f"There is no exported model in {folder}: it has no "
            "saved_model.pb. `python -m emotion_nas_tf.export` writes one to "
            "RUN_DIR/fold_NUMBER/test_SPEAKER/model."
        )
