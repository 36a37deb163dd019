"""TensorFlow Serving's folders: SERVING_DIR/MODEL_NAME/VERSION/saved_model.pb.

Pure: no TensorFlow.
"""

from pathlib import Path

from tfrecords_builder.errors import UsageError


def version_folder(
    serving_dir: Path, model_name: str, version: int | None = None
) -> Path:
    """Where a new version goes.

    A server takes up a version as soon as its folder is there, so one that is
    there is never written to again.

    Args:
      serving_dir: folder of all models.
      model_name: the model's.
      version: its number; None for one more than the latest.

    Raises:
      UsageError: when that version is there, or a model lies where its
        versions should.
    """
    folder = Path(serving_dir) / model_name
    if (folder / "saved_model.pb").exists():
        raise UsageError(
            f"{folder} is a model itself: its versions would lie within it. "
            "Give another --serving_dir or --model_name."
        )
    there = {
        int(path.name)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name.isdecimal()
    }
    following = max(there, default=0) + 1
    if version in there:
        raise UsageError(
            f"{folder / str(version)} is there already, and a server may be "
            f"using it. The next version is {following}."
        )
    return folder / str(version or following)
