"""What a result depends on: its settings and the state of chance.

A program that finds other settings in its folder refuses to go on there:
results of two configurations must not mix.
"""

import json
from pathlib import Path

import keras

from emotion_nas_tf.config import RecurrentTrainConfig, TrainConfig
from emotion_nas_tf.training.repeatable import make_repeatable
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, write_json

CONFIG_NAME = "config.json"


def claim_folder(folder: Path, settings: dict, command: str = "") -> None:
    """Makes a folder and notes the settings in it, or checks them.

    Args:
      folder: of the results.
      settings: plain JSON values; those of an earlier call must be equal.
      command: added to the commands noted in the folder; it may differ.

    Raises:
      UsageError: when the folder cannot be made, or holds work of other
        settings.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {folder} cannot be made ({error.strerror}). Choose "
            "another --run_dir."
        ) from error
    path = folder / CONFIG_NAME
    # Through JSON, so that tuples compare equal to lists.
    settings = json.loads(json.dumps(settings))
    before = read_json(path) if path.is_file() else dict(settings)
    commands = before.pop("command", "").splitlines()
    if before != settings:
        changes = ", ".join(
            f"{name}: {before.get(name)} there, {settings.get(name)} now"
            for name in sorted({*before, *settings})
            if before.get(name) != settings.get(name)
        )
        raise UsageError(
            f"{folder} holds work of other settings ({changes}). Use the same "
            "settings to go on with it, another --run_dir, or remove it."
        )
    if command and command not in commands:
        commands.append(command)
    noted = {"command": "\n".join(commands)} if commands else {}
    write_json(path, {**settings, **noted})


def set_random_state(config: TrainConfig | RecurrentTrainConfig) -> None:
    """Seeds all that is random; makes arithmetic repeatable when asked to.

    `deterministic` holds for the rest of the process: TensorFlow then takes
    only operations that add up in a fixed order, and runs its input pipeline
    in order; see `repeatable`.
    """
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        make_repeatable()
