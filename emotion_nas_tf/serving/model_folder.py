"""What an exported model's folder must hold. Pure: no TensorFlow."""

from pathlib import Path

from tfrecords_builder.errors import UsageError


def is_saved_model(folder: Path) -> bool:
    """Whether there is a SavedModel in `folder`."""
    return (folder / "saved_model.pb").is_file()


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
