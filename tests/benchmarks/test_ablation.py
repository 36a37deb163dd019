"""The comparison of options, with a training that is only pretended."""

import dataclasses
import inspect
import json
import sys
from pathlib import Path

import pytest

from benchmarks import ablation
from benchmarks.ablation_table import format_table, validation_ua
from benchmarks.option_sets import parse_sets
from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.recurrent.recipe_files import built_in
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.errors import UsageError
from tfrecords_builder.history import write_history


@pytest.fixture
def parse(other_flags):
    def parse(options, recurrent):
        return ablation.parse_training([*other_flags, *options], recurrent)

    return parse


def write_uas(folder, *uas):
    folder.mkdir(parents=True)
    write_history(folder / "history.csv", [{"validation_ua": ua} for ua in uas])


@pytest.mark.parametrize(
    ("sets", "recurrent"),
    [(ablation.SETS, False), (ablation.RECURRENT_SETS, True)],
)
def test_every_set_of_ours_changes_the_training(parse, sets, recurrent):
    configs = [
        parse(options, recurrent) for options in parse_sets(sets).values()
    ]
    assert len(set(configs)) == len(configs)
    assert len({size for size, _ in configs}) == 1


def test_flags_of_one_set_are_not_there_in_the_next(parse):
    sizes, training = parse(
        ["--num_cells=5", "--mixup=0.3", "--deterministic"], recurrent=False
    )
    assert (sizes.num_cells, training.mixup) == (5, 0.3)
    assert training.deterministic
    sizes, training = parse([], recurrent=False)
    assert (sizes.num_cells, training.mixup) == (3, 0.0)
    assert not training.deterministic


@pytest.mark.parametrize(
    ("options", "recurrent", "message"),
    [
        (["--mixap=1"], False, "Unknown command line flag 'mixap'"),
        (["--mixup=x"], False, "flag --mixup=x"),
        (["stray"], False, "what is 'stray'"),
        (["--seed=1"], True, "give --seeds="),
        (["--mixup=0.2"], True, "--mixup does nothing with --recipe"),
        (["--num_cells=4"], True, "--num_cells does nothing with --recipe"),
        (["--learning_rate=1"], True, "--learning_rate does nothing"),
        (["--recurrent_mixup=1"], False, "does nothing with --genotype"),
        (["--time_mask=9"], True, "--time_mask does nothing with --recipe"),
        (["--recurrent_time_mask=9"], False, "does nothing with --genotype"),
        (["--hidden_size=8"], False, "--hidden_size does nothing"),
    ],
)
def test_refuses_flags_that_are_wrong_or_idle(
    parse, options, recurrent, message
):
    with pytest.raises(UsageError, match=message):
        parse(options, recurrent)


def test_measures_every_seed_of_every_fold(tmp_path, capsys):
    """A gain of 10 points, and of 30 with the other seed, on one speaker."""
    folds = [
        Fold(1, "s", ("c",), held, test, (2,), (1,), (0,))
        for held, test in (("b", "a"), ("a", "b"))
    ]
    uas = {
        ("none", 0): (0.2, 0.5, 0.5, 0.3),
        ("none", 7): (0.2, 0.4, 0.4, 0.2),
        ("some", 0): (0.2, 0.6, 0.6, 0.6),
        ("some", 7): (0.1, 0.7, 0.2, 0.2),
    }
    trained = []

    def train(configs, seed, fold, folder):
        trained.append((configs, seed, fold.test_speaker))
        write_uas(folder, *uas[configs, seed])

    ablation.measure(
        train,
        ProtocolConfig(Path("records"), tmp_path, (1,)),
        folds,
        {"no thing": "none", "some": "some"},
        (0, 7),
        {"network": "lstm"},
    )
    assert trained == [
        (name, seed, test)
        for name in ("none", "some")
        for seed in (0, 7)
        for test in ("a", "b")
    ]
    assert validation_ua(
        tmp_path / "no_thing" / "seed_7" / "fold_1_test_b"
    ) == pytest.approx({"best": 0.4, "later": 0.3})
    noted = json.loads((tmp_path / "ablation.json").read_text())
    assert noted["network"] == "lstm"
    assert noted["order"][1] == {"seed": 0, "validation": "a"}
    best = [row["best"] for row in noted["validation_ua"]["some"]]
    assert best == [0.6, 0.6, 0.7, 0.7]
    first, last = capsys.readouterr().out.strip().split("\n\n")
    assert "some" not in first
    reference, other = last.splitlines()[2:]
    assert reference.split() == ["no", "thing", "4", "45.0", "35.0"]
    # Gains of 10, 10, 30, 30 and 20, 20, -10, -10: of the mean, a half of the
    # deviation, sqrt(400 / 3) and sqrt(900 / 3).
    assert other.split() == [
        *("some", "4", "65.0", "+20.0", "±5.8", "4", "0"),
        *("40.0", "+5.0", "±8.7", "2", "2"),
    ]


@pytest.mark.parametrize("recurrent", [False, True])
def test_trains_what_was_named(parse, tmp_path, monkeypatch, recurrent):
    """The real training's arguments, each where it belongs."""
    if recurrent:
        from emotion_nas_tf.training import recurrent_data as loading
        from emotion_nas_tf.training import recurrent_systems as training

        names = ("load_recurrent_data", "train_recurrent_system")
        network, cell = "gru", built_in("gru")
    else:
        from emotion_nas_tf.training import supervised as loading

        training = loading
        names = ("load_training_data", "train_system")
        network, cell = tmp_path / "cells.json", random_genotype(3)
        cell.save(network)
    signature = inspect.signature(getattr(training, names[1]))
    calls = []
    monkeypatch.setattr(loading, names[0], lambda *asked: asked)
    monkeypatch.setattr(
        training,
        names[1],
        lambda *given: calls.append(signature.bind(*given).arguments),
    )
    fold = Fold(1, "s", ("c",), "b", "a", (2,), (1,), (0,))
    train = ablation.make_train(
        network,
        recurrent,
        ProtocolConfig(Path("records"), tmp_path, (1,)),
        "manifest",
        [fold],
    )
    size, config = parse([], recurrent)
    train((size, config), 5, fold, tmp_path / "here")
    assert calls == [
        {
            "system": "recipe" if recurrent else "retrained",
            "folder": tmp_path / "here",
            "data": (Path("records"), "manifest", fold),
            "manifest": "manifest",
            "fold": fold,
            "recipe" if recurrent else "genotype": cell,
            "network_config": size,
            "config": dataclasses.replace(config, seed=5),
        }
    ]


def test_one_training_has_no_error():
    table = format_table(
        ["a", "b"],
        {
            "a": [{"best": 0.5, "later": 0.5}],
            "b": [{"best": 0.4, "later": 0.5}],
        },
    )
    assert table.splitlines()[-1].split() == [
        *("b", "1", "40.0", "-10.0", "0", "1"),
        *("50.0", "+0.0", "0", "0"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds=1,x"], "argument --folds: invalid numbers value: '1,x'"),
        (["--seeds="], "argument --seeds: invalid numbers value"),
        (["--sets=/no/such/file"], "--sets=/no/such/file cannot be read"),
        (["--records_dir=/no/such"], "no records in /no/such"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    other_flags, monkeypatch, capsys, arguments, message
):
    given = [
        "--records_dir=r",
        "--work_dir=w",
        "--recipe=lstm",
        *arguments,
        *other_flags,
    ]
    monkeypatch.setattr(sys, "argv", ["ablation", *given])
    with pytest.raises(SystemExit) as end:
        ablation.main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err
