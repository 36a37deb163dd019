"""A small search, and what trains after it."""

import csv
import dataclasses
import json
from collections import Counter

import numpy as np
import published
import pytest
from event_files import read_events, read_text
from small_search import NETWORK, SEARCH, search, watch_of

from emotion_nas_tf import run
from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    ProtocolConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    RunConfig,
    SearchConfig,
)
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.networks.system import (
    build_network,
    load_info,
    load_system,
)
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import (
    OPERATION_NAMES,
    genotype_of_strengths,
    load_genotype,
)
from emotion_nas_tf.training import searching
from emotion_nas_tf.training.derived_systems import train_fold
from emotion_nas_tf.training.searching import search_fold
from tfrecords_builder.errors import UsageError
from tfrecords_builder.history import read_history

TRAIN = DerivedTrainConfig(epochs=12, batch_size=8)
# Names of the watch's columns, of both cells and of either one.
WATCHED_ALPHA = ("entropy", "movement", "spread", "hessian")
WATCHED_CELL = ("skip_weight", "none_weight", "none_strongest")


@pytest.fixture(scope="module")
def protocol(small_records, tmp_path_factory):
    return ProtocolConfig(
        small_records, tmp_path_factory.mktemp("run"), (1,), "first"
    )


def run_all(protocol):
    """The program `run` with its flags answered."""
    config = RunConfig(
        ("spectrogram",),
        NETWORK,
        SEARCH,
        TRAIN,
        RecurrentConfig(),
        CandidateSearchConfig(),
        RecurrentTrainConfig(),
        FusionConfig(),
        comparators=(),
    )
    answers = (
        (run.protocol_flags, "protocol_config", protocol),
        (run.streams_flags, "streams", ()),
        (run.run_flags, "run_config", config),
        (run.run_flags, "parallel_tests", 1),
        (run.checkpoint_flags, "checkpoint", None),
    )
    with pytest.MonkeyPatch.context() as patch:
        for module, function, answer in answers:
            patch.setattr(module, function, lambda *_, answer=answer: answer)
        run.main([])


@pytest.fixture(scope="module")
def searched(protocol):
    """The folder of a finished run's only test."""
    run_all(protocol)
    (directory,) = RunDirectory(protocol.run_dir).tests()
    return directory


def test_search_writes_what_it_found(searched):
    genotype = load_genotype(searched.genotype)
    assert genotype.num_nodes == 2
    with np.load(searched.spectrogram / "alphas.npz") as alphas:
        assert alphas["alphas"].shape == (3, 2, 5, 8)
        # Adam moves an alpha by at most about its rate a step.
        moved = np.abs(alphas["alphas"][-1] - alphas["initial"]).max()
    assert 0 < moved < 3 * 4 * 4e-4
    with (searched.spectrogram / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    # Nearly equal weights: entropy close to log 8.
    assert float(rows[0]["alpha_entropy"]) == pytest.approx(np.log(8), abs=1e-3)
    best = max(float(row["validation_ua"]) for row in rows)
    assert load_info(searched, "search").validation_ua == best


def test_watch_follows_the_search_and_judges_it(searched):
    rows = read_history(searched.spectrogram / "history.csv")
    edges = {
        name: value
        for name, value in rows[-1].items()
        if name.startswith("normal_") and value and "weight" not in name
    }
    genotype = load_genotype(searched.genotype)
    counted = Counter(f"normal_{operation}" for operation, _ in genotype.normal)
    counted["normal_none_strongest"] = rows[-1]["normal_none_strongest"]
    assert edges == +counted
    assert all(np.isfinite(row["alpha_hessian"]) for row in rows)

    watch = watch_of(searched)
    numbers = watch["numbers"]
    assert numbers["alpha_steps"] == 3 * 4
    assert numbers["search_ua"] == rows[-1]["validation_ua"]
    for name in ("alpha_movement", "alpha_entropy"):
        assert numbers[name] == pytest.approx(rows[-1][name], rel=1e-6)
    assert numbers["eigenvalues"] == [row["alpha_hessian"] for row in rows]
    for system in ("inherited", "retrained"):
        measured = load_info(searched, system).validation_ua
        assert numbers[f"{system}_ua"] == measured
    sentences = [each["sentence"] for each in watch["judgements"]]
    # 12 steps of 3e-4 rank nothing.
    assert any("close to a random one" in text for text in sentences)
    assert any("by at most 0.0036 (12 steps" in text for text in sentences)
    page = RunDirectory(searched.path.parents[1]).report.read_text()
    assert "Attention: The operations still weigh nearly the same" in page


def test_tensorboard_shows_what_the_files_hold(searched):
    events = read_events(searched.spectrogram)
    rows = read_history(searched.spectrogram / "history.csv")
    shown = {
        "loss/training": "train_loss",
        "UA/training": "train_ua",
        "loss/validation": "validation_loss",
        "UA/validation": "validation_ua",
        **{f"watch/alpha_{name}": f"alpha_{name}" for name in WATCHED_ALPHA},
        **{
            f"watch/{cell}_{name}": f"{cell}_{name}"
            for cell in ("normal", "reduction")
            for name in (*WATCHED_CELL, *OPERATION_NAMES[1:])
        },
    }
    for tag, column in shown.items():
        # TensorBoard's numbers have 32 bits.
        assert events[tag] == {
            row["epoch"]: np.float32(row[column]) for row in rows
        }, tag

    with np.load(searched.spectrogram / "alphas.npz") as alphas:
        initial, logits = alphas["initial"], alphas["alphas"]
        strengths = alphas["strengths"]
    for epoch in (1, 2, 3):
        after = epoch - 1
        for index, cell in enumerate(("normal", "reduction")):
            moved = np.abs(logits[after, index] - initial[index]).mean()
            assert events[f"alpha movement/{cell}"][epoch] == pytest.approx(
                moved, rel=1e-5
            )
            for tag in ("alpha", "alpha weights", "cells"):
                assert set(events[f"{tag}/{cell}"]) == {1, 2, 3}
        entropies = [
            events[f"alpha entropy (nats)/{cell}"][epoch]
            for cell in ("normal", "reduction")
        ]
        assert np.mean(entropies) == pytest.approx(
            rows[after]["alpha_entropy"], rel=1e-6
        )
        cells = genotype_of_strengths(*strengths[after])
        assert read_text(events["genotype"][epoch]) == cells.to_text()
    assert cells == load_genotype(searched.genotype)
    # The derived network's UA is measured once more when it is trained.
    derived = load_info(searched, "inherited").validation_ua
    lost = rows[-1]["validation_ua"] - derived
    gap = events["watch/derivation_gap"]
    assert gap == {3: pytest.approx(lost, abs=1e-6)}
    assert "close to a random one" in read_text(events["watch"][3])


def test_finished_search_is_kept_and_other_settings_are_refused(
    protocol, searched, capsys
):
    before = searched.genotype.stat().st_mtime_ns
    search(protocol, protocol.run_dir)
    assert "finished before" in capsys.readouterr().err
    assert searched.genotype.stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="epochs: 3 there, 4 now"):
        search(protocol, protocol.run_dir, SearchConfig(epochs=4, batch_size=8))


def test_run_trains_tests_and_exports(protocol, searched):
    results = json.loads(RunDirectory(protocol.run_dir).results.read_text())
    systems = results["tests"][0]["systems"]
    assert list(systems) == ["search", "inherited", "retrained", "random_cell"]
    # Bands of frequencies are easy; chance is a third.
    assert systems["retrained"]["ua"] > 0.8
    network, info = load_system(searched, "retrained")
    assert info.genotype == load_genotype(searched.genotype)
    assert network(np.zeros((2, 12, 12, 1), np.float32)).shape == (2, 3)
    assert (searched.model / "saved_model.pb").is_file()
    assert RunDirectory(protocol.run_dir).report.is_file()


def test_second_run_does_nothing_again(protocol, searched, monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("done again")

    monkeypatch.setattr("emotion_nas_tf.training.fitting.run_epochs", refuse)
    monkeypatch.setattr("tensorflow.saved_model.save", refuse)
    before = searched.metrics.stat().st_mtime_ns
    run_all(protocol)
    assert searched.metrics.stat().st_mtime_ns == before


def test_training_refuses_records_of_another_front_end(protocol, searched):
    manifest, (fold,) = open_records(protocol)
    other = dataclasses.replace(manifest, fingerprint="0" * 64)
    with pytest.raises(UsageError, match="another front end"):
        train_fold(
            protocol.records_dir,
            other,
            fold,
            searched,
            NETWORK,
            TRAIN,
            ("random_cell",),
        )


def test_search_refuses_other_records(protocol, searched):
    manifest, (fold,) = open_records(protocol)
    other = dataclasses.replace(
        manifest,
        shards=(dataclasses.replace(manifest.shards[0], sha256="0" * 64),),
    )
    with pytest.raises(UsageError, match="other records"):
        search_fold(
            protocol.records_dir, other, fold, searched, NETWORK, SEARCH
        )


def test_inherited_network_has_the_search_networks_kernels(protocol, searched):
    source = searching.load_final_search_network(searched, NETWORK, 3)
    genotype = source.genotype()
    derived = build_network(NETWORK, 3, genotype, (12, 12))
    derived.inherit(source)

    # The published names of the same weight in both networks.
    rows = {0: 0, 1: 2}
    pairs = {"stem.0.weight": "stem.0.weight"}
    for k, cell in enumerate(derived.cells):
        for index, (name, state) in enumerate(cell.edges):
            edge = rows[index // 2] + state
            ours = f"cells.{k}._ops.{index}."
            theirs = (
                f"cells.{k}._ops.{edge}._ops.{OPERATION_NAMES.index(name)}."
            )
            pairs[ours] = theirs
    ours, theirs = published.locations(derived), published.locations(source)
    checked = 0
    for name, location in ours.items():
        prefix = next((p for p in pairs if name.startswith(p)), None)
        other = name.replace(prefix, pairs[prefix]) if prefix else None
        if other in theirs:
            np.testing.assert_array_equal(
                location[0].numpy()[location[1]],
                theirs[other][0].numpy()[theirs[other][1]],
                err_msg=name,
            )
            checked += 1
    assert checked >= 5
