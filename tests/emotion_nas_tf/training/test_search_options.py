"""Small searches with other settings than the paper's."""

import dataclasses

import numpy as np
import pytest
from small_search import NETWORK, SEARCH, search, watch_of

from emotion_nas_tf.config import ProtocolConfig, SearchConfig
from emotion_nas_tf.networks.system import load_system
from emotion_nas_tf.search_space.genotype import load_genotype
from emotion_nas_tf.training import search_watch, searching
from emotion_nas_tf.training.alpha_record import load_alphas
from emotion_nas_tf.training.bilevel import BilevelSearch
from tfrecords_builder.errors import UsageError
from tfrecords_builder.history import read_history

# Quicker to trace.
ONE_NODE = dataclasses.replace(NETWORK, num_nodes=1)


@pytest.fixture(scope="module")
def protocol(small_records, tmp_path_factory):
    return ProtocolConfig(
        small_records, tmp_path_factory.mktemp("run"), (1,), "first"
    )


def test_search_with_every_option_of_the_step(protocol, tmp_path):
    config = dataclasses.replace(
        SEARCH,
        epochs=1,
        order="second",
        derivation="all_edges",
        micro_batches=2,
        recompute=True,
        distribute="auto",
    )
    directory = search(protocol, tmp_path, config, ONE_NODE)
    genotype = load_genotype(directory.genotype)
    assert genotype.all_edges
    (row,) = read_history(directory.spectrogram / "history.csv")
    assert row["alpha_movement"] > 0


@pytest.mark.parametrize(
    ("batch_size", "split", "parts", "size"),
    [
        # Of 36 training utterances and 18 of the validation speaker.
        (8, "validation", 3, 8),
        (32, "validation", 8, 18),
        (36, "train", 12, 18),
    ],
)
def test_search_refuses_parts_that_are_not_equal(
    protocol, tmp_path, batch_size, split, parts, size
):
    config = dataclasses.replace(
        SEARCH,
        batch_size=batch_size,
        architecture_split=split,
        micro_batches=parts,
    )
    message = f"batch of {size} .* cannot be cut into {parts} equal parts"
    with pytest.raises(UsageError, match=message):
        search(protocol, tmp_path, config)
    # The folder is free for settings that will do.
    assert not list(tmp_path.iterdir())


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
            {"recompute": True, "jit_compile": True},
            "softmax",
            "--recompute saves nothing with --jit_compile",
        ),
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
