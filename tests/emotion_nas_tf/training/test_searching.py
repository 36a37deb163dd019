"""A small search, and what trains after it."""

import csv
import dataclasses
import json
from collections import Counter

import numpy as np
import published
import pytest

from emotion_nas_tf import run
from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
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
from emotion_nas_tf.search_space.genotype import OPERATION_NAMES, load_genotype
from emotion_nas_tf.training import callbacks, search_watch, searching
from emotion_nas_tf.training.alpha_record import load_alphas
from emotion_nas_tf.training.bilevel import BilevelSearch
from emotion_nas_tf.training.derived_systems import train_fold
from emotion_nas_tf.training.searching import search_fold
from tfrecords_builder.errors import UsageError, WorkError

NETWORK = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
# Quicker to trace.
ONE_NODE = dataclasses.replace(NETWORK, num_nodes=1)
SEARCH = SearchConfig(epochs=3, batch_size=8, watch_hessian=True)
TRAIN = DerivedTrainConfig(epochs=12, batch_size=8)


@pytest.fixture(scope="module")
def protocol(small_records, tmp_path_factory):
    return ProtocolConfig(
        small_records, tmp_path_factory.mktemp("run"), (1,), "first"
    )


def search(protocol, run_dir, config=SEARCH, network=NETWORK):
    manifest, (fold,) = open_records(protocol)
    directory = RunDirectory(run_dir).test(1, fold.test_speaker)
    search_fold(
        protocol.records_dir, manifest, fold, directory, network, config
    )
    return directory


def watch_of(directory):
    return json.loads((directory.spectrogram / "watch.json").read_text())


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
    assert list(searched.spectrogram.glob("events*"))


def test_watch_follows_the_search_and_judges_it(searched):
    rows = callbacks.read_history(searched.spectrogram / "history.csv")
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


def test_search_with_every_option_of_the_step(protocol, tmp_path):
    config = dataclasses.replace(
        SEARCH,
        epochs=1,
        order="second",
        derivation="all_edges",
        micro_batches=2,
        distribute="auto",
    )
    directory = search(protocol, tmp_path, config, ONE_NODE)
    genotype = load_genotype(directory.genotype)
    assert genotype.all_edges
    (row,) = callbacks.read_history(directory.spectrogram / "history.csv")
    assert row["alpha_movement"] > 0


def test_search_refuses_parts_that_are_not_equal(protocol, tmp_path):
    config = dataclasses.replace(SEARCH, micro_batches=3)
    with pytest.raises(UsageError, match="cannot be cut into 3 equal parts"):
        search(protocol, tmp_path, config)


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


def test_loss_that_is_not_finite_stops_with_a_sentence(tmp_path):
    watch = callbacks.FiniteLoss(tmp_path)
    watch.on_train_batch_end(0, {"loss": 1.0, "ua": 0.5})
    with pytest.raises(WorkError, match="loss is no longer a finite number"):
        watch.on_train_batch_end(1, {"loss": float("nan"), "ua": 0.5})


def test_search_with_remedies_stops_early_and_stays_so(
    protocol, tmp_path, monkeypatch
):
    """Options on; after epoch 2, skip connections are said to be too many."""
    network = dataclasses.replace(
        ONE_NODE, relaxation="gumbel", partial_channels=2
    )
    config = SearchConfig(
        epochs=4,
        batch_size=8,
        architecture_warm_up_epochs=1,
        early_stop_skips=2,
        max_skip_connections=0,
        beta_decay=1.0,
    )

    def reason(folder, epochs, num_steps, config):
        return "It was stopped." if epochs == 2 else ""

    monkeypatch.setattr(searching, "reason_to_stop", reason)
    monkeypatch.setattr(search_watch, "reason_to_stop", reason)
    directory = search(protocol, tmp_path, config, network)
    folder = directory.spectrogram
    alphas = load_alphas(folder)
    np.testing.assert_array_equal(alphas.alphas[0], alphas.initial)
    assert np.abs(alphas.alphas[1] - alphas.initial).max() > 0
    genotype = load_genotype(directory.genotype)
    assert "skip_connect" not in [name for name, _ in genotype.normal]
    texts = [each["sentence"] for each in watch_of(directory)["judgements"]]
    assert "It was stopped." in texts
    assert any("cannot inherit its weights" in text for text in texts)

    # Killed when all but the last file had been written.
    directory.info("search").unlink()
    monkeypatch.setattr(BilevelSearch, "train_step", None)
    search(protocol, tmp_path, config, network)
    assert len(load_alphas(folder).alphas) == 2
    loaded, info = load_system(directory, "search")
    assert info.network == network
    assert len(loaded.architecture_weights) == 4


@pytest.mark.parametrize(
    ("changes", "relaxation", "message"),
    [
        ({"architecture_warm_up_epochs": 3}, "softmax", "none of the 3 epochs"),
        ({"watch_hessian": True}, "gumbel", "smooth in alpha"),
        (
            {"precision": "mixed_float16", "order": "second"},
            "softmax",
            "--order=second subtracts gradients",
        ),
        (
            {"precision": "mixed_bfloat16", "watch_hessian": True},
            "softmax",
            "--watch_hessian subtracts gradients",
        ),
        (
            {"precision": "mixed_float16", "distribute": "auto"},
            "softmax",
            "for one device only",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    protocol, tmp_path, changes, relaxation, message
):
    config = SearchConfig(epochs=3, batch_size=8, **changes)
    network = dataclasses.replace(NETWORK, relaxation=relaxation)
    with pytest.raises(UsageError, match=message):
        search(protocol, tmp_path, config, network)
    assert not list(tmp_path.iterdir())
