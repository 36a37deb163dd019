"""The search of the recurrent cell of one test (paper, sections 2.2 and 3.3).

FOLDER/recipe.json         the best candidate, by validation loss
FOLDER/candidates.jsonl    every evaluation; candidates.csv, the same for people
FOLDER/events*             TensorBoard: the best so far, the table, the cell
"""

from pathlib import Path

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    as_json,
)
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.recurrent.candidates import (
    CANDIDATES_NAME,
    check_search,
    search_candidates,
    search_settings,
)
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.recurrent.recipe_files import load_recipe, save_recipe
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.training.callbacks import show_progress
from emotion_nas_tf.training.candidate_process import start_process
from emotion_nas_tf.training.candidate_summaries import CandidateSummaries
from emotion_nas_tf.training.candidate_worker import (
    RecipeEvaluator,
    StoredData,
)
from emotion_nas_tf.training.recurrent_data import load_recurrent_data
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.records import RecordsManifest


def search_recipe_fold(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: RecurrentConfig,
    train_config: RecurrentTrainConfig,
    config: CandidateSearchConfig,
) -> Recipe:
    """Searches a recurrent cell, and writes all a search leaves behind.

    Trains on the training speakers, chooses on the validation speaker; the
    test speaker is not read. Goes on after a kill; a finished search is not
    run again.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test.
      directory: its folder.
      network_config: size of the candidates' networks; that of a frame is the
        records'.
      train_config: how they are trained; its epochs do not count.
      config: which candidates, and how many epochs each.

    Returns:
      The best recipe.

    Raises:
      UsageError: when the records have no features over time, the folder
        holds a search of other settings, or what is asked for is not
        possible.
      WorkError: when no candidate could be trained.
    """
    folder = directory.recurrent
    candidates = check_search(config)
    data = load_recurrent_data(records_dir, manifest, fold)
    # Before anything is left behind.
    data.augmentation(train_config)
    training = as_json(train_config)
    del training["epochs"]
    settings = search_settings(
        config,
        candidates,
        {
            "program": "search recurrent",
            "records": manifest.digest,
            "features": data.sequence.title,
            "features_fingerprint": data.sequence.fingerprint(),
            "test_speaker": fold.test_speaker,
            **as_json(data.size(network_config)),
            **training,
        },
    )
    claim_folder(folder, settings)
    title = f"candidates, fold {fold.number}, test speaker {fold.test_speaker}"
    if directory.recipe.is_file():
        show_progress(f"{title}: finished before, kept.")
        return load_recipe(directory.recipe)
    stored = StoredData.store(data, folder / CANDIDATES_NAME / "frames")
    summaries = CandidateSummaries(folder)
    standing = search_candidates(
        candidates,
        RecipeEvaluator(stored, network_config, train_config),
        config,
        folder,
        settings,
        lambda line: show_progress(f"{title}, {line}"),
        seed=train_config.seed,
        watch=summaries.show,
        prepare=start_process,
    )
    recipe = Recipe.from_mapping(standing[0].recipe)
    summaries.end(standing[0], recipe)
    # At the end: it says that the search is finished.
    save_recipe(recipe, directory.recipe)
    return recipe
