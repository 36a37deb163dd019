"""The recurrent networks of one test: the found recipe, a drawn one, LSTM, GRU.

All are trained alike (paper, section 3.3): Adam, one rate, so many epochs; the
epoch with the best validation UA is kept.
"""

import random
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from emotion_nas_tf.config import (
    RecurrentConfig,
    RecurrentTrainConfig,
    as_json,
)
from emotion_nas_tf.data.batches import steps_per_epoch
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.recurrent import generator
from emotion_nas_tf.recurrent.names import INPUT
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import (
    built_in,
    load_recipe,
    save_recipe,
)
from emotion_nas_tf.recurrent.system import (
    describe_recurrent_system,
    save_recurrent_info,
)
from emotion_nas_tf.run_directory import (
    INFO_NAME,
    RECIPE_NAME,
    FoldDirectory,
)
from emotion_nas_tf.systems import SYSTEMS
from emotion_nas_tf.training.callbacks import DivergedError, show_progress
from emotion_nas_tf.training.fitting import fit_resumable
from emotion_nas_tf.training.recurrent_data import (
    RecurrentData,
    load_recurrent_data,
)
from emotion_nas_tf.training.recurrent_step import make_recurrent_training
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import read_json, write_json
from tfrecords_builder.records import RecordsManifest

# Of the recurrent stream's folder: drawn recipes that cannot be trained.
REJECTED_NAME = "rejected_recipes.json"
MAX_DRAWS = 20


def train_recurrent_fold(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: RecurrentConfig,
    config: RecurrentTrainConfig,
    systems: Sequence[str],
    recipe_path: Path | None = None,
) -> None:
    """Trains the recurrent networks asked for; what is finished is kept.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test.
      directory: its folder.
      network_config: size of the networks; that of a frame is the records'.
      config: how they are trained.
      systems: of `recipe`, `random_recipe`, `lstm`, `gru`.
      recipe_path: a recipe to train in place of the one the search found.

    Raises:
      UsageError: when the search's result is needed and not there, the
        records have no features over time, a mask could cover all of an
        utterance, or a folder holds a training of other settings.
      WorkError: when the loss is not finite in the first epoch; a drawn recipe
        is then drawn anew, up to `MAX_DRAWS` times.
    """
    recipes = recipes_of(fold, directory, config.seed, systems, recipe_path)
    data = load_recurrent_data(records_dir, manifest, fold)
    # Before anything is left behind.
    data.augmentation(config)

    def train(system: str, recipe: Recipe) -> None:
        train_recurrent_system(
            system,
            directory.system(system),
            data,
            manifest,
            fold,
            recipe,
            network_config,
            config,
        )

    for system, recipe in recipes.items():
        if system == "random_recipe":
            _train_drawn(fold, directory, config.seed, partial(train, system))
        else:
            train(system, recipe)


def _train_drawn(
    fold: Fold,
    directory: FoldDirectory,
    seed: int,
    train: Callable[[Recipe], None],
) -> None:
    """Trains the first drawn recipe that survives its first epoch.

    A hidden state that grows without bound is nothing a search would have
    kept: against it any search would look good.
    """
    for number in range(count_rejected(directory, fold, seed), MAX_DRAWS):
        recipe = random_recipe(fold, seed, number)
        try:
            return train(recipe)
        except DivergedError:
            if number + 1 == MAX_DRAWS:
                raise
            shutil.rmtree(directory.system("random_recipe"))
            write_json(
                directory.recurrent / REJECTED_NAME,
                {
                    "diverged_in_first_epoch": [
                        random_recipe(fold, seed, draw).to_mapping()
                        for draw in range(number + 1)
                    ]
                },
            )
            show_progress(
                f"! fold {fold.number}, test speaker {fold.test_speaker}: the "
                f"drawn recurrent cell number {number + 1} diverged in its "
                "first epoch; drawing another one."
            )


def count_rejected(directory: FoldDirectory, fold: Fold, seed: int) -> int:
    """How many drawn recipes diverged before the one that counts.

    Those of another seed, in a folder that was used before, do not count.
    """
    path = directory.recurrent / REJECTED_NAME
    if not path.is_file():
        return 0
    noted = read_json(path)["diverged_in_first_epoch"]
    for number, recipe in enumerate(noted):
        if random_recipe(fold, seed, number).to_mapping() != recipe:
            return number
    return len(noted)


def recipes_of(
    fold: Fold,
    directory: FoldDirectory,
    seed: int,
    systems: Sequence[str],
    recipe_path: Path | None = None,
) -> Mapping[str, Recipe]:
    """Which cell each system has; see `train_recurrent_fold`.

    Raises:
      UsageError: when the search's result is needed and not there.
    """
    recipes = {}
    for system in systems:
        if system == "recipe":
            path = recipe_path or directory.recipe
            if recipe_path is None and not path.is_file():
                raise UsageError(
                    f"There is no found recipe {path}. `python -m "
                    f"{_SEARCH} --streams=recurrent` with the same --run_dir "
                    "and --fold makes it; --recipe=FILE names another one; "
                    "--systems=lstm,gru need none."
                )
            recipes[system] = load_recipe(path)
        elif system == "random_recipe":
            recipes[system] = random_recipe(
                fold, seed, count_rejected(directory, fold, seed)
            )
        else:
            recipes[system] = built_in(system)
    return recipes


_SEARCH = SYSTEMS["search"].program


def random_recipe(fold: Fold, seed: int, number: int = 0) -> Recipe:
    """Another recipe for every test: one draw says little about random ones.

    From one of the benchmark's nine spaces, and one whose output depends on
    x, as in the search's pool.

    Args:
      fold: the test.
      seed: of the draws.
      number: 0 for the first draw, 1 for what replaces it, ...
    """
    name = f"{seed} {fold.session} {fold.test_speaker}"
    if number:
        name += f" {number}"
    drawn = zlib.crc32(name.encode())
    space = random.Random(drawn).choice(generator.BENCHMARK_SPACES)
    return next(
        recipe
        for recipe in generator.recipes(space, drawn)
        if INPUT not in recipe.unreached()
    )


def train_recurrent_system(
    system: str,
    folder: Path,
    data: RecurrentData,
    manifest: RecordsManifest,
    fold: Fold,
    recipe: Recipe,
    network_config: RecurrentConfig,
    config: RecurrentTrainConfig,
) -> None:
    """Trains a recurrent network from scratch; keeps its best epoch.

    Goes on after a kill; a finished training is not run again. One whose loss
    stops being finite ends there, with its best epoch.

    Args:
      system: one of the recurrent stream's.
      folder: of the system.
      data: the splits.
      manifest: of the records.
      fold: for the title and the settings.
      recipe: its cell.
      network_config: its size; that of a frame is the records'.
      config: how.

    Raises:
      UsageError: when the folder holds a training of other settings.
      WorkError: when the loss is not finite in the first epoch.
    """
    network_config = data.size(network_config)
    claim_folder(
        folder,
        {
            "program": "train",
            "records": manifest.digest,
            "features": data.sequence.title,
            "features_fingerprint": data.sequence.fingerprint(),
            "test_speaker": fold.test_speaker,
            "recipe": recipe.to_mapping(),
            **as_json(network_config),
            **as_json(config),
        },
    )
    name = SYSTEMS[system].title
    title = f"{name}, fold {fold.number}, test speaker {fold.test_speaker}"
    if (folder / INFO_NAME).is_file():
        show_progress(f"{title}: finished before, kept.")
        return
    # Beside the network, for people and for --recipe.
    save_recipe(recipe, folder / RECIPE_NAME)
    model = make_recurrent_training(recipe, data, network_config, config)
    best = fit_resumable(
        model,
        model.kept,
        {"weights": model.optimizer},
        folder,
        title,
        config,
        steps_per_epoch(len(data.training.labels), config.batch_size),
        lambda first_step: data.training_batches(
            network_config, config, first_step
        ),
        data.validation_batches(network_config, config),
        # A drawn cell may grow without bound; the others must not wait for it.
        keeps_diverged=True,
    )
    save_recurrent_info(
        folder,
        describe_recurrent_system(
            system, network_config, recipe, manifest, best
        ),
    )
