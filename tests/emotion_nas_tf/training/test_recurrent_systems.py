"""Recurrent networks trained on small records: kills, answers, refusals."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax
from sequence_data import make_data, write_sequence_records

from emotion_nas_tf.config import (
    ProtocolConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.data.sequences import load_sequences
from emotion_nas_tf.evaluation.answers import system_probabilities
from emotion_nas_tf.recurrent.recipe_files import built_in, load_recipe
from emotion_nas_tf.recurrent.system import load_recurrent_system
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training import recurrent_systems
from emotion_nas_tf.training.callbacks import DivergedError, FiniteLoss
from emotion_nas_tf.training.checkpoints import Checkpoints
from emotion_nas_tf.training.recurrent_step import make_recurrent_training
from emotion_nas_tf.training.recurrent_systems import (
    random_recipe,
    recipes_of,
    train_recurrent_fold,
)
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.history import read_history

SIZE = RecurrentConfig(num_layers=1, hidden_size=6)
TRAIN = RecurrentTrainConfig(
    epochs=4,
    batch_size=6,
    learning_rate=0.03,
    dropout=0.2,
    mixup=0.2,
    frequency_mask=1,
    time_mask=2,
    frequency_warp=0.1,
    weight_averaging=0.6,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Records, a fold of them, and what trains a GRU into a run."""
    records = tmp_path_factory.mktemp("records")
    write_sequence_records(records)
    run = tmp_path_factory.mktemp("run")
    manifest, (fold,) = open_records(
        ProtocolConfig(records, run, (1,), "first")
    )

    def train(run, **changes):
        directory = RunDirectory(run).test(1, fold.test_speaker)
        train_recurrent_fold(
            records,
            manifest,
            fold,
            directory,
            SIZE,
            dataclasses.replace(TRAIN, **changes),
            ("gru",),
        )
        return directory

    def answer(directory, indices, manifest=manifest):
        return system_probabilities(
            directory, "gru", records, manifest, indices
        )

    return SimpleNamespace(
        records=records,
        manifest=manifest,
        fold=fold,
        train=train,
        answer=answer,
        directory=train(run),
    )


def state(directory):
    folder = directory.system("gru") / "checkpoints"
    step = Checkpoints(folder).steps[-1]
    reader = tf.train.load_checkpoint(str(folder / f"ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("VARIABLE_VALUE")
    }


def test_it_learns_speakers_it_never_heard(world):
    rows = read_history(world.directory.system("gru") / "history.csv")
    assert len(rows) == 4
    assert max(row["validation_ua"] for row in rows) > 0.6
    indices = world.fold.test
    answers = world.answer(world.directory, indices)
    labels = [world.manifest.entries[index].label for index in indices]
    assert np.mean(answers.argmax(1) == labels) > 0.6


def test_interrupted_training_ends_with_the_same_bits(
    world, tmp_path, monkeypatch
):
    """Killed inside the third of four epochs of three steps."""

    class KilledError(Exception):
        pass

    save = Checkpoints.save

    def stop_before_saving(self, steps_completed):
        if steps_completed == 8:
            raise KilledError
        save(self, steps_completed)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", stop_before_saving)
        with pytest.raises(KilledError):
            world.train(tmp_path, checkpoint_minutes=0)
    mine, whole = state(world.train(tmp_path)), state(world.directory)
    assert len(whole) > 10
    assert mine.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(mine[name], value, err_msg=name)


def test_other_records_of_the_same_features_are_refused(world):
    fewer = dataclasses.replace(world.manifest, shards=())
    with pytest.raises(UsageError, match=r"other records .* system gru"):
        world.answer(world.directory, [0], fewer)


@pytest.mark.parametrize("good_epochs", [2, 0])
def test_what_was_best_before_a_divergence_is_kept(
    world, tmp_path, monkeypatch, capsys, good_epochs
):
    check = FiniteLoss.on_epoch_end

    def diverge(self, epoch, logs=None):
        is_bad = epoch == good_epochs
        check(self, epoch, {**logs, "val_loss": np.nan} if is_bad else logs)

    monkeypatch.setattr(FiniteLoss, "on_epoch_end", diverge)
    if good_epochs == 0:
        with pytest.raises(WorkError, match=r"val_loss .* finite"):
            world.train(tmp_path)
        return
    directory = world.train(tmp_path)
    assert "stopped being finite in epoch 3" in capsys.readouterr().err
    # Weights, batches and chance are those of the whole training.
    whole = read_history(world.directory.system("gru") / "history.csv")
    best = max(whole[:good_epochs], key=lambda row: row["validation_ua"])
    _, info = load_recurrent_system(directory, "gru")
    assert info.epoch == best["epoch"]
    assert info.validation_ua == best["validation_ua"]


def test_answers_are_those_of_each_utterance_alone(world):
    """Neither padding nor neighbours nor the order matter."""
    indices = [20, 3, 11, 35]
    network, info = load_recurrent_system(world.directory, "gru")
    read = load_sequences(world.records, world.manifest, indices)
    # By hand: the kept network, standardised by the training speakers.
    training = load_sequences(
        world.records, world.manifest, world.fold.training
    )
    mean, deviation = training.frames.mean(0), training.frames.std(0)
    np.testing.assert_allclose(network.feature_mean, mean, rtol=1e-5)
    expected = []
    ends = np.cumsum(read.lengths)
    for end, length in zip(ends, read.lengths, strict=True):
        frames = (read.frames[end - length : end] - mean) / deviation
        pooled = network.pooling(network.stack(frames[None]))
        logits = network.classifier(pooled).numpy()[0]
        expected.append(softmax(logits.astype(np.float64)))
    answers = world.answer(world.directory, indices)
    assert answers.dtype == np.float64
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    assert info.parameters == sum(
        int(np.prod(weight.shape)) for weight in network.trainable_weights
    )


def test_network_json_names_the_features_and_others_are_refused(world):
    info = json.loads(world.directory.info("gru").read_text())
    assert info["features"] == "logmel"
    assert info["fingerprint"] == world.manifest.sequence.fingerprint()
    settings = world.manifest.features["sequence"]
    for sequence, message in (
        ({"sequence": {**settings, "features": "transformers"}}, "transfor"),
        ({}, "no features over time"),
    ):
        features = {
            "spectrogram": world.manifest.features["spectrogram"],
            **sequence,
        }
        other = dataclasses.replace(world.manifest, features=features)
        with pytest.raises(UsageError, match=f"have {message}.* on logmel"):
            world.answer(world.directory, [0], other)


def test_another_training_in_the_same_folder_is_refused(world):
    with pytest.raises(UsageError, match=r"dropout: 0\.2 there, 0\.5 now"):
        world.train(world.directory.path.parents[1], dropout=0.5)


def test_which_recipe_each_system_has(world, tmp_path):
    directory = RunDirectory(tmp_path).test(1, "a")
    fold = world.fold
    with pytest.raises(UsageError, match=r"--streams=recurrent.*--recipe="):
        recipes_of(fold, directory, 0, ("lstm", "recipe"))
    path = world.directory.system("gru") / "recipe.json"
    found = recipes_of(fold, directory, 0, ("recipe", "lstm"), path)
    assert found == {"recipe": load_recipe("gru"), "lstm": built_in("lstm")}
    # The same again, and another in another test.
    assert random_recipe(fold, 0) == random_recipe(fold, 0)
    other = dataclasses.replace(fold, test_speaker="b")
    assert random_recipe(other, 0) != random_recipe(fold, 0)
    assert random_recipe(fold, 1) != random_recipe(fold, 0)


def test_a_drawn_cell_that_diverges_at_once_is_drawn_anew(
    world, tmp_path, monkeypatch, capsys
):
    directory = RunDirectory(tmp_path).test(1, world.fold.test_speaker)
    trained = []

    def train(system, folder, data, manifest, fold, recipe, *settings):
        folder.mkdir(parents=True)
        trained.append(recipe)
        if len(trained) < 3:
            raise DivergedError("no longer finite")

    monkeypatch.setattr(recurrent_systems, "train_recurrent_system", train)

    def ask():
        train_recurrent_fold(
            world.records,
            world.manifest,
            world.fold,
            directory,
            SIZE,
            TRAIN,
            ("random_recipe",),
        )

    ask()
    draws = [random_recipe(world.fold, 0, number) for number in range(3)]
    assert trained == draws
    assert len(set(map(str, draws))) == 3
    assert "number 2 diverged in its first epoch" in capsys.readouterr().err
    # The same command again goes on with the one that could be trained.
    shutil.rmtree(directory.system("random_recipe"))
    ask()
    assert trained[3:] == draws[2:]
    assert (
        recipes_of(world.fold, directory, 0, ("random_recipe",))[
            "random_recipe"
        ]
        == draws[2]
    )


def test_rows_that_fill_a_batch_up_do_not_count():
    """10 utterances in batches of 4, against the mean over the 10."""
    data = make_data()
    size = data.size(SIZE)
    assert size.standardize
    config = RecurrentTrainConfig(batch_size=4)
    model = make_recurrent_training(built_in("gru"), data, size, config)
    model.make_test_function()
    for batch in data.validation_batches(size, config):
        logs = model.test_function([batch])
    read = data.validation
    logits = model.network((read.padded(range(10)), read.lengths)).numpy()
    weights = model.class_weights.numpy()[read.labels]
    losses = -log_softmax(logits, 1)[range(10), read.labels] * weights
    assert float(logs["loss"]) == pytest.approx(losses.mean(), rel=1e-5)
    hits = logits.argmax(1) == read.labels
    recalls = [hits[read.labels == label].mean() for label in range(3)]
    assert float(logs["ua"]) == pytest.approx(np.mean(recalls))


def test_a_network_that_attends_to_padding_always_has_as_much_of_it():
    """The paper's form: the length of the batch must not matter."""
    data = make_data()
    size = data.size(dataclasses.replace(SIZE, masked=False))
    for batches in (
        data.training_batches(size, dataclasses.replace(TRAIN, epochs=1), 0),
        data.validation_batches(size, TRAIN),
    ):
        for (features, _), _ in batches:
            assert features.shape[1] == data.sequence.num_frames
