"""Commands composed from noted settings ask for those very settings.

The oracle are the programs' own flags: what they make of a composed command
must be what the settings were noted of.
"""

import dataclasses
import json
import shlex

import pytest
from evaluated_run import make_run

from emotion_nas_tf.config import as_json
from emotion_nas_tf.recurrent.candidates import (
    candidates_digest,
    check_search,
)
from emotion_nas_tf.reporting import repeating
from emotion_nas_tf.reporting.noted_commands import noted_commands
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from flags import (
    augmentation_flags,
    candidate_flags,
    fuse_flags,
    genotype_flags,
    network_flags,
    protocol_flags,
    recurrent_flags,
    recurrent_train_flags,
    search_flags,
    streams_flags,
    train_flags,
    trained_systems_flags,
)

PLACE = ("--records_dir=r", "--run_dir=runs/x")
# Every flag of a program that decides a result, at no default.
SHARED = ["--seed=3", "--class_balance=sampling", "--deterministic"]
NETWORK = [
    "--num_cells=5",
    "--num_channels=8",
    "--relaxation=sigmoid",
    "--partial_channels=2",
]
TRAINING = ["--batch_size=7", "--learning_rate=0.03", "--weight_decay=1e-5"]
TRAINING += ["--precision=mixed_bfloat16", *SHARED]
SEARCH = [
    "--search_epochs=4",
    "--architecture_learning_rate=1e-3",
    "--architecture_split=train",
    "--order=second",
    "--derivation=all_edges",
    "--micro_batches=2",
    "--recompute",
    "--distribute=auto",
    "--jit_compile",
    "--watch_hessian",
    "--architecture_warm_up_epochs=1",
    "--max_skip_connections=2",
    "--early_stop_skips=2",
    "--beta_decay=0.5",
    "--zero_one_weight=3.5",
]
TRAIN = [
    "--train_epochs=9",
    "--drop_path=0.1",
    "--label_smoothing=0.2",
    "--frequency_mask=3",
    "--time_mask=4",
    "--frequency_warp=0.05",
    "--mixup=0.3",
    "--weight_averaging=0.98",
]
RECURRENT = [
    "--num_layers=3",
    "--hidden_size=5",
    "--nomasked",
    "--nostandardize",
    "--recurrent_batch_size=5",
    "--recurrent_learning_rate=0.002",
    "--recurrent_gradient_clip=1.5",
    "--recurrent_dropout=0.1",
    "--recurrent_label_smoothing=0.2",
    "--recurrent_mixup=0.3",
    "--recurrent_weight_averaging=0.9",
    "--recurrent_frequency_mask=3",
    "--recurrent_time_mask=4",
    "--recurrent_frequency_warp=0.05",
    *SHARED,
]
CANDIDATES = [
    "--num_candidates=5",
    "--pool_size=7",
    "--rung_epochs=1,2",
    "--eta=2",
    "--generations=1",
    "--mutations=2",
]
FUSION = [
    "--fused=inherited,gru",
    "--fusion_data=cross_fitted",
    "--cross_fit_groups=2",
    "--fusion_epochs=7",
    "--fusion_learning_rate=0.01",
    "--fusion_batch_size=3",
    "--fusion_activation=relu",
    "--fusion_class_balance=none",
    "--seed=3",
]
# Fields that no flag sets, or that decide no result.
OF_TRAINING = {"final_learning_rate", "momentum", "gradient_clip"}
UNSET = {
    "network": {"num_nodes"},
    "search": OF_TRAINING | {"architecture_weight_decay", "checkpoint_minutes"},
    "train": OF_TRAINING | {"checkpoint_minutes"},
    "recurrent": {"input_size"},
    "recurrent_train": {"checkpoint_minutes"},
    "candidates": {"recipe_files", "num_workers", "parallel_backend"},
    "fusion": {"deterministic"},
}


@pytest.fixture(autouse=True)
def masks(monkeypatch):
    """Without the package that draws SpecAugment's masks too."""
    monkeypatch.setattr(
        augmentation_flags.importlib.util, "find_spec", lambda name: name
    )


@pytest.fixture
def asked(parsed_flags):
    """What the programs' flags make of a command line."""

    def parse(arguments):
        with parsed_flags(*arguments):
            is_command = any(word.startswith("--folds") for word in arguments)
            return {
                "network": network_flags.network_config(),
                "search": search_flags.search_config(),
                "train": train_flags.train_config(),
                "recurrent": recurrent_flags.recurrent_config(),
                "recurrent_train": (
                    recurrent_train_flags.recurrent_train_config()
                ),
                "candidates": candidate_flags.candidate_search_config(),
                "fusion": fuse_flags.fusion_config(),
                "streams": streams_flags.streams(),
                "systems": trained_systems_flags.trained_systems(),
                "genotype": genotype_flags.genotype_path(),
                "protocol": protocol_flags.protocol_config()
                if is_command
                else None,
            }

    return parse


def note(folder, **settings):
    """As `claim_folder` does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings))


def note_search(test, config):
    network, search = as_json(config["network"]), as_json(config["search"])
    note(test.spectrogram, program="search", **network, **search)


def note_candidates(test, config, features="logmel", standardize=False):
    training = as_json(config["recurrent_train"])
    del training["epochs"]
    candidates = config["candidates"]
    size = dataclasses.replace(
        config["recurrent"], input_size=140, standardize=standardize
    )
    note(
        test.recurrent,
        program="search recurrent",
        features=features,
        **as_json(size),
        **training,
        **{f"candidates_{k}": v for k, v in as_json(candidates).items()},
        candidates_sha256=candidates_digest(check_search(candidates)),
    )


def note_training(test, system, config, **cell):
    note(
        test.system(system),
        **cell,
        **as_json(config["network"]),
        **as_json(config["train"]),
    )


def words_of(tests, count=1):
    """The flags of the commands, which are so many; what else was said."""
    found = noted_commands(tests, PLACE)
    assert len(found.commands) == count
    return [shlex.split(command)[2:] for command in found.commands], found


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    for test in (run.test(1, "03"), run.test(1, "09"), run.test(2, "08")):
        test.path.mkdir(parents=True)
        test.metrics.write_text(json.dumps({"validation_speaker": "10"}))
    return run


@pytest.mark.parametrize("name", UNSET)
def test_every_setting_that_a_flag_can_change_is_tried_here(asked, name):
    streams = [*NETWORK, *TRAINING, *SEARCH, *TRAIN, *RECURRENT, *CANDIDATES]
    config = asked([*streams, *FUSION, "--recurrent_epochs=9"])[name]
    unchanged = {
        field.name
        for field in dataclasses.fields(config)
        if getattr(config, field.name) == field.default
    }
    assert unchanged == UNSET[name]


def test_a_search_of_cells(asked, run):
    arguments = [*NETWORK, *TRAINING, *SEARCH]
    test, *_ = run.tests()
    note_search(test, asked(arguments))
    [(program, *words)], _ = words_of([test])
    assert program == "emotion_nas_tf.search"
    before, after = asked(arguments), asked(words)
    assert after["network"] == before["network"]
    assert after["search"] == before["search"]
    assert after["streams"] == ("spectrogram",)
    # Nothing that is the default anyway.
    note_search(test, asked([]))
    [words], _ = words_of([test])
    assert len(words) == 1 + len(PLACE) + len(["folds", "test", "streams"])


def test_a_search_of_recurrent_cells(asked, run):
    arguments = [*RECURRENT, *CANDIDATES]
    test, *_ = run.tests()
    note_candidates(test, asked(arguments))
    [(program, *words)], _ = words_of([test])
    assert program == "emotion_nas_tf.search"
    before, after = asked(arguments), asked(words)
    for name in ("recurrent", "recurrent_train", "candidates"):
        assert after[name] == before[name]
    assert after["streams"] == ("recurrent",)


@pytest.mark.parametrize(
    ("features", "standardize", "flag"),
    [
        ("logmel", True, None),
        ("logmel", False, "--nostandardize"),
        ("wav2vec a.pt c", False, None),
        ("wav2vec a.pt c", True, "--standardize"),
    ],
)
def test_what_the_features_decide(asked, run, features, standardize, flag):
    test, *_ = run.tests()
    note_candidates(test, asked([]), features, standardize)
    [words], _ = words_of([test])
    assert [w for w in words if "standardize" in w] == ([flag] if flag else [])


def test_candidates_from_files_that_are_not_noted(asked, run):
    test, *_ = run.tests()
    note_candidates(test, asked([]))
    path = test.recurrent / "config.json"
    noted = json.loads(path.read_text())
    note(test.recurrent, **noted | {"candidates_sha256": "of others"})
    _, found = words_of([test], 0)
    assert "--recipe_files that are not noted" in found.notes[0]
    assert "fold 1 speaker 03" in found.notes[0]


def test_trainings_of_each_stream(asked, run):
    test, *_ = run.tests()
    arguments = [*NETWORK, *TRAINING, *TRAIN]
    for system in ("retrained", "random_cell"):
        cell = dataclasses.asdict(random_genotype(0))
        note_training(test, system, asked(arguments), genotype=cell)
    test.genotype.write_text(random_genotype(0).to_json())
    config = asked([*RECURRENT, "--recurrent_epochs=9"])
    for system in ("lstm", "gru"):
        note(
            test.system(system),
            features="wav2vec",
            **as_json(config["recurrent"]) | {"standardize": True},
            **as_json(config["recurrent_train"]),
        )
    (cells, recurrent), _ = words_of([test], 2)
    assert cells[0] == recurrent[0] == "emotion_nas_tf.train"
    assert asked(cells[1:])["systems"] == ("retrained", "random_cell")
    before, after = asked(arguments), asked(cells[1:])
    assert after["network"] == before["network"]
    assert after["train"] == before["train"]
    assert after["genotype"] is None
    assert asked(recurrent[1:])["systems"] == ("lstm", "gru")
    after = asked(recurrent[1:])
    assert after["recurrent_train"] == config["recurrent_train"]
    assert after["recurrent"] == dataclasses.replace(
        config["recurrent"], standardize=True
    )


def test_inherited_weights_and_comparators_have_their_network_s_size(
    asked, run
):
    test, *_ = run.tests()
    note_search(test, asked(NETWORK))
    train = as_json(asked(TRAIN)["train"])
    note(test.system("cnn"), width=3, **train)
    note(test.system("majority"), program="train")
    note(test.system("inherited"), batch_size=7, seed=0)
    found, _ = words_of([test], 3)
    for words in found[1:]:
        assert asked(words[1:])["network"] == asked(NETWORK)["network"]
    assert asked(found[1][1:])["systems"] == ("inherited",)
    assert asked(found[1][1:])["train"].batch_size == 7
    assert asked(found[2][1:])["systems"] == ("majority", "cnn")
    assert as_json(asked(found[2][1:])["train"]) == train


def test_a_cell_that_was_not_the_search_s(asked, run):
    tests = run.tests()
    other = random_genotype(1)
    for test in tests:
        note_training(
            test, "retrained", asked([]), genotype=dataclasses.asdict(other)
        )
        own = test.system("retrained") / "genotype.json"
        own.write_text(other.to_json())
    found, _ = words_of(tests, 2)
    path = tests[0].system("retrained") / "genotype.json"
    assert [asked(words[1:])["genotype"] for words in found] == [path, path]


def test_a_fusion(asked, run):
    test, *_ = run.tests()
    config = asked(FUSION)["fusion"]
    info = test.info("fusion")
    info.parent.mkdir(parents=True)
    settings = as_json(config)
    fused = settings.pop("fused")
    info.write_text(json.dumps({"fused": fused, "settings": settings}))
    [(program, *words)], _ = words_of([test])
    assert program == "emotion_nas_tf.fuse"
    assert asked(words)["fusion"] == config


def test_what_was_evaluated(asked, run):
    test, *_ = run.tests()
    for system in ("retrained", "lstm"):
        test.system(system).mkdir(parents=True)
        test.info(system).write_text("{}")
    content = {"validation_speaker": "10", "systems": {"lstm": {}}}
    test.metrics.write_text(json.dumps(content))
    [words], _ = words_of([test])
    assert words[0] == "emotion_nas_tf.evaluate"
    assert words[-1] == "--systems=lstm"
    content["systems"]["retrained"] = {"recalls": {"sad": None}}
    test.metrics.write_text(json.dumps(content))
    [words], _ = words_of([test])
    assert asked(words[1:])["protocol"].allow_missing_classes


def test_tests_of_the_same_settings_have_one_command(asked, run):
    first, second, alone = run.tests()
    for test in (first, second, alone):
        note_search(test, asked([]))
    found, said = words_of([first, second], 1)
    protocol = asked(found[0][1:])["protocol"]
    assert (protocol.folds, protocol.test_speaker) == ((1,), "both")
    assert str(protocol.records_dir) == "r"
    assert str(protocol.run_dir) == "runs/x"
    assert said.notes == ()
    found, _ = words_of([first, second, alone], 2)
    protocol = asked(found[1][1:])["protocol"]
    # 8 before 10.
    assert (protocol.folds, protocol.test_speaker) == ((2,), "first")
    note_search(second, asked(["--seed=1"]))
    found, said = words_of([first, second], 2)
    assert [asked(words[1:])["search"].seed for words in found] == [0, 1]
    assert "Tests differ" in said.notes[0]
    alone.metrics.unlink()
    _, said = words_of([alone], 0)
    assert "which of the session's speakers validates" in said.notes[0]


def test_what_no_flag_says_and_what_was_not_there_yet(asked, run):
    test, *_ = run.tests()
    note_search(test, asked([]))
    noted = json.loads((test.spectrogram / "config.json").read_text())
    note(test.spectrogram, **noted | {"momentum": 0.5})
    _, found = words_of([test], 0)
    assert "momentum is 0.5" in found.notes[0]
    note(test.spectrogram, **noted | {"of_old": 1})
    _, found = words_of([test], 0)
    assert "of_old is 1" in found.notes[0]
    del noted["beta_decay"]
    note(test.spectrogram, **noted)
    _, found = words_of([test], 1)
    assert found.lacking == ("beta_decay",)
    lines = repeating.commands(run, [test]).splitlines()
    assert any("without the settings beta_decay" in line for line in lines)
    [command] = [line for line in lines if "emotion_nas_tf.search" in line]
    assert f"--run_dir={run.path}_again" in command
    assert "--records_dir=RECORDS" in command


def test_an_ensemble_says_where_its_runs_lie(tmp_path, monkeypatch):
    run = make_run(tmp_path / "runs")
    command = "python -m emotion_nas_tf.ensemble --run_dirs=a,b --run_dir=demo"
    run.config.write_text(
        json.dumps(
            {"program": "ensemble", "run_dirs": ["a", "b"], "command": command}
        )
    )
    (tmp_path / "runs/a").mkdir()
    for test in run.tests():
        note(test.system("majority"), program="train")
        test.info("retrained").write_text("{}")
    monkeypatch.chdir(tmp_path)
    here = RunDirectory(run.path.relative_to(tmp_path))
    lines = repeating.commands(here, here.tests()).splitlines()
    assert f"(cd runs && {command})" in lines
    assert "# Its runs: runs/a, runs/b" in lines
    assert "# Not there: runs/b" in lines
    assert "python -m emotion_nas_tf.report --run_dir=runs/a" in lines
    evaluate = "python -m emotion_nas_tf.evaluate --records_dir=RECORDS"
    assert f"{evaluate} --run_dir=runs/demo --folds=2" in lines
    assert not any("emotion_nas_tf.train" in line for line in lines)
    monkeypatch.chdir(tmp_path / "runs")
    there = RunDirectory(run.path.relative_to(tmp_path / "runs"))
    assert command in repeating.commands(there, there.tests()).splitlines()
