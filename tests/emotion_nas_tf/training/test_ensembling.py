"""Ensembles of runs: what they answer, and what becomes of them."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from ensemble_world import World

from emotion_nas_tf.config import FusionConfig
from emotion_nas_tf.evaluation.answers_on_disk import read_answers
from emotion_nas_tf.evaluation.results import write_results
from emotion_nas_tf.evaluation.runs import compare_runs
from emotion_nas_tf.networks.system import load_info
from emotion_nas_tf.recurrent.network import build_recurrent_network
from emotion_nas_tf.recurrent.system import load_recurrent_info
from emotion_nas_tf.reporting.embeddings import embed
from emotion_nas_tf.reporting.figures import write_figures
from emotion_nas_tf.reporting.html import write_report
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.serving.assembling import assemble
from emotion_nas_tf.serving.exporting import export_system
from emotion_nas_tf.serving.predictor import Predictor
from emotion_nas_tf.training import ensembling
from emotion_nas_tf.training.ensembling import make_ensemble
from emotion_nas_tf.training.fuse_fold import fuse_fold
from tfrecords_builder.errors import UsageError, WorkError

NETWORKS = ("retrained", "recipe", "cnn")
# Two roundings to six digits, and that of single precision.
TOLERANCE = 1.5e-6


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Compiling takes longer than these few answers.
        patch.setattr(
            "emotion_nas_tf.recurrent.system.build_recurrent_network",
            partial(build_recurrent_network, compiled=False),
        )
        yield World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def ensemble(world):
    """The three runs and their ensemble, fused and evaluated."""
    path = world.folder / "ensemble"
    for seed, run in enumerate(world.runs):
        # The found convolutional cell is one, recurrent cells are several.
        world.test(run).genotype.write_text(random_genotype(9).to_json())
        world.test(run).recipe.write_text(json.dumps({"seed": seed}))
        world.evaluate(run)
    make_ensemble(world.runs, path, command="python -m again")
    fuse(world, path, "validation")
    world.evaluate(path)
    return world.test(path)


def fuse(world, path, data):
    return fuse_fold(
        world.records,
        world.manifest,
        world.fold,
        world.test(path),
        FusionConfig(epochs=2, data=data),
        world.answer,
    )


def probabilities(world, directory, system):
    path = directory.predictions
    return read_answers(path, world.manifest.label_names)[system].probabilities


def files(path):
    """Content of every file but those that name the runs."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and file.name != "config.json"
    }


@pytest.mark.parametrize("system", NETWORKS)
def test_it_answers_by_the_mean_of_its_members(world, ensemble, system):
    """What each run's own evaluation has written is the oracle."""
    each = np.array(
        [probabilities(world, world.test(run), system) for run in world.runs]
    )
    assert np.ptp(each, axis=0).max() > 0.05
    np.testing.assert_allclose(
        probabilities(world, ensemble, system), each.mean(0), atol=TOLERANCE
    )


def test_it_reaches_what_compare_says(world, ensemble):
    said = compare_runs(world.runs)["systems"]
    measured = write_results(RunDirectory(ensemble.path.parents[1]))["summary"]
    assert set(measured) > {*NETWORKS, "majority"} == set(said)
    for system in NETWORKS:
        for metric in ("ua", "wa", "macro_f1"):
            expected = said[system]["pooled"][metric]["ensemble"]
            assert measured[system]["pooled"][metric] == expected


def test_the_comparators_without_networks_are_the_runs_own(world, ensemble):
    np.testing.assert_array_equal(
        probabilities(world, ensemble, "majority"),
        probabilities(world, world.test(world.runs[0]), "majority"),
    )


def test_what_it_says_of_itself(world, ensemble):
    infos = [load_info(world.test(run), "retrained") for run in world.runs]
    info = load_info(ensemble, "retrained")
    assert info.parameters == sum(each.parameters for each in infos)
    # 1/4, 2/4 and 3/4.
    assert (info.validation_ua, info.epoch) == (0.5, 1)
    assert info.genotype == infos[0].genotype != infos[1].genotype
    recurrent = load_recurrent_info(ensemble, "recipe")
    assert recurrent.validation_loss == 2
    assert recurrent.records == world.manifest.digest


def test_fusions_are_made_of_the_means(world, ensemble):
    streams = [
        probabilities(world, ensemble, system)
        for system in ("retrained", "recipe")
    ]
    np.testing.assert_allclose(
        probabilities(world, ensemble, "fusion_mean"),
        np.mean(streams, axis=0),
        atol=TOLERANCE,
    )
    assert probabilities(world, ensemble, "fusion").shape == streams[0].shape


def test_cross_fitting_does_not_train_several_runs_again(world, ensemble):
    with pytest.raises(UsageError, match=r"retrained, recipe .* an ensemble"):
        fuse(world, ensemble.path.parents[1], "cross_fitted")


def test_the_report_shows_the_cells_that_all_found(world, ensemble):
    run = RunDirectory(ensemble.path.parents[1])
    assert ensemble.genotype.is_file()
    assert not ensemble.recipe.exists()
    assert {path.suffix for path in write_figures(run)} == {".svg", ".png"}
    page = write_report(run, world.records).read_text()
    assert "python -m again" in page
    assert "seed2" in page


def test_points_have_all_members_coordinates(world, ensemble):
    for system in ("retrained", "recipe"):
        points = [
            embed(world.records, world.manifest, test, system)
            for test in (*map(world.test, world.runs), ensemble)
        ]
        np.testing.assert_allclose(
            points[3], np.concatenate(points[:3], axis=1), atol=1e-6
        )


def test_the_exported_model_answers_by_the_mean_too(world, ensemble, tmp_path):
    exported = export_system(ensemble, "fusion_mean", tmp_path / "model")
    assert exported.max_difference <= 1e-5
    noise = np.random.default_rng(0).normal(0, 0.1, 20_000)
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    waveform, _ = soundfile.read(tmp_path / "noise.wav", dtype="float32")
    predictor = Predictor(exported.path)
    prediction = predictor.predict(tmp_path / "noise.wav")
    of_streams = []
    for system, stream in (
        ("retrained", "spectrogram"),
        ("recipe", "recurrent"),
    ):
        mean = np.mean(
            [
                assemble(world.test(run), system).answer(
                    tf.constant(waveform[None]), tf.constant([len(noise)])
                )["probabilities"][0]
                for run in world.runs
            ],
            axis=0,
        )
        assert predictor.metadata["streams"][stream]["members"] == 3
        received = prediction.streams[stream].values()
        np.testing.assert_allclose([*received], mean, atol=1e-5)
        of_streams.append(mean)
    np.testing.assert_allclose(
        [*prediction.probabilities.values()],
        np.mean(of_streams, axis=0),
        atol=1e-5,
    )


@pytest.mark.parametrize("copies", [1, 4, 9])
def test_killed_and_made_again_it_has_the_same_files(
    world, tmp_path, monkeypatch, copies
):
    class KilledError(Exception):
        pass

    copied = []
    copy = shutil.copyfile

    def stop(source, target):
        if len(copied) == copies:
            raise KilledError
        copied.append(target)
        copy(source, target)

    make_ensemble(world.runs, tmp_path / "whole")
    path = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(ensembling.shutil, "copyfile", stop)
        with pytest.raises(KilledError):
            make_ensemble(world.runs, path)
    done = [s for s in NETWORKS if world.test(path).info(s).is_file()]
    assert len(done) < len(NETWORKS)
    make_ensemble(world.runs, path)
    assert files(path) == files(tmp_path / "whole")
    made = world.test(path).info("retrained").stat().st_mtime_ns
    make_ensemble(world.runs, path)
    assert world.test(path).info("retrained").stat().st_mtime_ns == made


def test_a_member_trained_anew_takes_the_place_of_the_old_one(world, tmp_path):
    runs = [shutil.copytree(run, tmp_path / run.name) for run in world.runs]
    path = tmp_path / "ensemble"
    make_ensemble(runs, path)
    fuse(world, path, "validation")
    world.write_run(runs[1], seed=7)
    make_ensemble(runs, path)
    make_ensemble(runs, tmp_path / "new")
    assert files(path).items() >= files(tmp_path / "new").items()
    with pytest.raises(UsageError, match=r"no longer the network .* fusion"):
        world.answer(world.test(path), "fusion", world.fold.test)


def test_an_ensemble_that_has_lost_a_member_is_damaged(world, tmp_path):
    make_ensemble(world.runs, tmp_path)
    directory = world.test(tmp_path)
    for number in (3, 1):
        shutil.rmtree(directory.system("retrained") / f"member_{number}")
        with pytest.raises(WorkError, match="damaged ensemble"):
            world.answer(directory, "retrained", [0])
    assert make_ensemble(world.runs, tmp_path).parts
    assert world.answer(directory, "retrained", [0]).shape == (1, 3)
