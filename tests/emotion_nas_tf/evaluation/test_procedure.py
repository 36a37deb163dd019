"""What of a test counts as done."""

import json
import os
from types import SimpleNamespace

import pytest

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    RunConfig,
    SearchConfig,
)
from emotion_nas_tf.evaluation import procedure
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SPECTROGRAM, systems_of

SYSTEMS = systems_of(SPECTROGRAM)


@pytest.fixture
def directory(tmp_path):
    """A test whose networks were made at second 100."""
    directory = RunDirectory(tmp_path).test(2, "08")
    for system in SYSTEMS:
        touch(directory.info(system), 100)
    return directory


def touch(path, second):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (second, second))


def write_metrics(directory, systems, second, fingerprint="f"):
    content = {"systems": dict.fromkeys(systems), "fingerprint": fingerprint}
    directory.metrics.write_text(json.dumps(content))
    os.utime(directory.metrics, (second, second))


def test_results_are_kept_while_no_network_is_newer(directory):
    assert not procedure.has_results(directory, "f", SYSTEMS)
    write_metrics(directory, SYSTEMS, second=99)
    assert not procedure.has_results(directory, "f", SYSTEMS)
    write_metrics(directory, SYSTEMS, second=100)
    assert procedure.has_results(directory, "f", SYSTEMS)
    assert not procedure.has_results(directory, "another", SYSTEMS)
    # `evaluate --systems=search` leaves the others to be done.
    write_metrics(directory, ("search",), second=100)
    assert not procedure.has_results(directory, "f", SYSTEMS)


def test_model_is_kept_while_it_is_the_retrained_network(directory):
    assert not procedure.has_model(directory, "retrained")
    directory.model.mkdir()
    assert not procedure.has_model(directory, "retrained")
    metadata = directory.model / "assets" / "metadata.json"
    touch(directory.model / "saved_model.pb", 100)
    touch(metadata, 100)
    metadata.write_text('{"system": "retrained"}')
    assert procedure.has_model(directory, "retrained")
    metadata.write_text('{"system": "search"}')
    assert not procedure.has_model(directory, "retrained")
    metadata.write_text('{"system": "retrained"}')
    touch(directory.info("retrained"), 101)
    assert not procedure.has_model(directory, "retrained")


def run_config(streams):
    return RunConfig(
        streams,
        NetworkConfig(),
        SearchConfig(),
        DerivedTrainConfig(),
        RecurrentConfig(),
        CandidateSearchConfig(),
        RecurrentTrainConfig(),
        FusionConfig(),
    )


STREAM_STEPS = {
    "spectrogram": ["search", "train"],
    "recurrent": ["search of a recurrent cell", "train recurrent networks"],
}


@pytest.mark.parametrize(
    ("streams", "exported"),
    [
        (("spectrogram",), "retrained"),
        (("recurrent",), "recipe"),
        (("spectrogram", "recurrent"), "fusion"),
    ],
)
def test_steps_are_those_of_the_streams(tmp_path, streams, exported):
    config = run_config(streams)
    manifest = SimpleNamespace(
        fingerprint="f", sequence=SimpleNamespace(features="logmel")
    )
    asked = procedure.Procedure(tmp_path, tmp_path, manifest, config)
    fold = SimpleNamespace(number=2, test_speaker="08")
    steps = asked.steps(fold)
    fused = ["fuse"] if len(streams) == 2 else []
    assert [step.kind for step in steps] == [
        *(kind for stream in streams for kind in STREAM_STEPS[stream]),
        "train comparators",
        *fused,
        "evaluate",
        "export",
    ]
    assert asked.exported == exported
    # A network that computes the features but is not at hand.
    manifest.sequence.features = "wav2vec"
    alone = "retrained" if len(streams) == 2 else exported
    assert asked.exported == alone
    # Of the recurrent stream alone nothing would be left to export.
    kinds = [step.kind for step in asked.steps(fold)]
    assert ("export" in kinds) == ("spectrogram" in streams)
    manifest.sequence.features = "logmel"
    assert not any(step.is_done() for step in steps)

    # Every system that the steps make is one that is evaluated.
    directory = asked.directory(fold)
    for system in asked.systems:
        touch(directory.info(system), 100)
    touch(directory.recipe, 100)
    assert all(step.is_done() for step in steps[:-2])
    write_metrics(directory, asked.systems, second=100)
    assert steps[-2].is_done()
    write_metrics(directory, asked.systems[:-1], second=100)
    assert not steps[-2].is_done()


def test_a_search_is_given_its_threads(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(
        procedure, "search_fold_in_process", lambda *args: given.append(args)
    )
    config = run_config((SPECTROGRAM,))
    manifest = SimpleNamespace(fingerprint="f", sequence=None)
    asked = procedure.Procedure(
        tmp_path, tmp_path, manifest, config, search_threads=3
    )
    fold = SimpleNamespace(number=2, test_speaker="08")
    search, *_ = asked.steps(fold)
    search.work()
    assert search.kind == "search"
    directory = asked.directory(fold)
    assert given == [
        (3, tmp_path, manifest, fold, directory, config.network, config.search)
    ]
