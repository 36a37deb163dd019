"""The search among recipes on utterances, from candidates to recipe.json."""

import dataclasses
import json
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from sequence_data import make_data
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
)
from emotion_nas_tf.recurrent.recipe_files import built_in, load_recipe
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.training import candidate_search, candidate_worker
from emotion_nas_tf.training.candidate_search import search_recipe_fold
from emotion_nas_tf.training.candidate_worker import StoredData
from emotion_nas_tf.training.recurrent_step import make_recurrent_training
from tfrecords_builder.errors import UsageError

SIZE = RecurrentConfig(num_layers=1, hidden_size=4)
TRAIN = RecurrentTrainConfig(batch_size=8, learning_rate=0.02, seed=3)
CONFIG = CandidateSearchConfig(
    num_candidates=3,
    pool_size=3,
    rung_epochs=(1, 2),
    eta=3,
    parallel_backend="sequential",
)


def search(directory, train=TRAIN):
    return search_recipe_fold(
        directory.path,
        SimpleNamespace(digest="of the records"),
        SimpleNamespace(number=2, test_speaker="08"),
        directory,
        SIZE,
        train,
        CONFIG,
    )


# The lower, the better; of LSTM, GRU and the vanilla network in order of size.
LOSSES = {1: (0.9, 0.7, 0.8), 2: (0.1, 0.6, 0.2)}


@pytest.fixture
def asked(monkeypatch):
    """Losses from the table above; keeps what was asked."""
    found = []

    def evaluate(recipe, data, network, train, epochs, state_dir):
        names = ("lstm", "gru", "rnn")
        digests = [built_in(name).digest for name in names]
        place = digests.index(recipe.digest)
        found.append((names[place], network, train, state_dir))
        np.testing.assert_array_equal(
            data.training.frames, make_data().training.frames
        )
        return {
            "validation_loss": LOSSES[epochs][place],
            "validation_ua": 0.5,
            "parameters": 100,
        }

    monkeypatch.setattr(candidate_worker, "evaluate_candidate", evaluate)
    return found


@pytest.fixture
def directory(monkeypatch, tmp_path):
    monkeypatch.setattr(
        candidate_search, "load_recurrent_data", lambda *_: make_data()
    )
    return FoldDirectory(tmp_path / "fold_2/test_08")


def test_a_search_leaves_the_best_recipe_and_its_ledger(
    directory, asked, monkeypatch
):
    recipe = search(directory)
    assert recipe.digest == built_in("gru").digest
    assert load_recipe(directory.recipe) == recipe
    # The rest were left behind, though LSTM would have overtaken it.
    assert sorted(name for name, *_ in asked) == ["gru", "gru", "lstm", "rnn"]
    assert {network for _, network, *_ in asked} == {SIZE}
    assert {train.seed for _, _, train, _ in asked} == {3}
    # One folder a candidate, in every rung.
    assert len({(name, folder) for name, *_, folder in asked}) == 3
    folder = directory.recurrent
    rows = [
        json.loads(line)
        for line in (folder / "candidates.jsonl").read_text().splitlines()
    ]
    assert [(row["rung"], row["epochs"]) for row in rows] == [
        *[(0, 1)] * 3,
        (1, 2),
    ]
    assert {row["seed"] for row in rows} == {3}
    assert rows[3]["validation_loss"] == 0.6
    assert (folder / "candidates.csv").read_text().count("\n") == 4
    # Trainings and frames are gone.
    assert not (folder / "candidates").exists()

    events = EventAccumulator(str(folder)).Reload()
    losses = events.Tensors("candidates/validation loss, best")
    assert [point.step for point in losses] == [1, 2, 3, 4]
    found = [tf.make_ndarray(point.tensor_proto) for point in losses]
    np.testing.assert_allclose(found[2:], [0.7, 0.6], rtol=1e-6)
    table = events.Tensors("best candidates")[-1].tensor_proto
    lines = table.string_val[0].decode().splitlines()
    assert lines[1].split()[:5] == ["1", "0.6000", "50.0", "%", "2"]
    assert "found recurrent cell" in events.Tags()["tensors"]

    # Finished: nothing is trained again.
    monkeypatch.setattr(candidate_search, "search_candidates", None)
    assert search(directory) == recipe
    with pytest.raises(UsageError, match=r"learning_rate: 0.02 there, 0.1 now"):
        search(directory, dataclasses.replace(TRAIN, learning_rate=0.1))


def test_a_diverged_candidate_is_noted(directory, asked, monkeypatch):
    monkeypatch.setitem(LOSSES, 1, (0.9, math.nan, 0.8))
    assert search(directory).digest == built_in("rnn").digest
    table = (directory.recurrent / "candidates.csv").read_text()
    assert table.splitlines()[-1].startswith("3,gru,diverged,0,1,,,100,")


def test_frames_are_mapped_not_copied(tmp_path):
    data = make_data()
    stored = StoredData.store(data, tmp_path)
    assert not stored.data.training.frames.size
    found = stored.load()
    assert isinstance(found.training.frames, np.memmap)
    for split in ("training", "validation"):
        mine, theirs = getattr(found, split), getattr(data, split)
        np.testing.assert_array_equal(mine.frames, theirs.frames)
        np.testing.assert_array_equal(mine.lengths, theirs.lengths)
        assert mine.ids == theirs.ids
    np.testing.assert_array_equal(
        found.training.padded([3, 1]), data.training.padded([3, 1])
    )
    # What the same command does that somebody else has begun.
    mapped, before = found.training.frames, data.training.frames
    others = dataclasses.replace(data.training, frames=before + 1)
    StoredData.store(dataclasses.replace(data, training=others), tmp_path)
    np.testing.assert_array_equal(mapped, before)
    np.testing.assert_array_equal(stored.load().training.frames, others.frames)


def test_candidates_in_threads_draw_the_weights_they_draw_alone():
    data = make_data()

    def weights(_):
        model = make_recurrent_training(
            built_in("gru"), data, data.size(SIZE), TRAIN
        )
        return [weight.numpy() for weight in model.network.weights]

    alone = weights(None)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(weights, range(6)):
            for mine, theirs in zip(found, alone, strict=True):
                np.testing.assert_array_equal(mine, theirs)
