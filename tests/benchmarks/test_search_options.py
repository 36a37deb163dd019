"""The comparison of search options, with programs that are only pretended."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import search_options
from benchmarks.option_sets import flags_given, parse_sets
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from flags import network_flags, search_flags

GENOTYPE = random_genotype(0)


@pytest.fixture
def commands(monkeypatch, other_flags):
    """Answers for the three programs; takes what they were asked."""
    taken = []

    def run(command, **_):
        taken.append(command[1:])
        _, _, program, *options = command
        given = dict(o.removeprefix("--").partition("=")[::2] for o in options)
        tests = [
            RunDirectory(Path(given["run_dir"])).test(
                int(given["fold"]), speaker
            )
            for speaker in ("08", "10")
        ]
        for test in tests:
            test.spectrogram.mkdir(parents=True, exist_ok=True)
            if program.endswith("search"):
                GENOTYPE.save(test.genotype)
            if program.endswith("evaluate"):
                systems = {
                    name: {"ua": 0.5} for name in ("search", "retrained")
                }
                if "/nothing" in given["run_dir"]:
                    systems["random_cell"] = {"ua": 0.25}
                if "/cap" in given["run_dir"] and test.test_speaker == "10":
                    systems["retrained"]["ua"] = 0.75
                test.metrics.write_text(json.dumps({"systems": systems}))
        # A folder of records is named for how the program shall end.
        code = given["records_dir"]
        return SimpleNamespace(returncode=int(code) if code != "R" else 0)

    # The benchmark's alone: TensorFlow starts programs when it is imported.
    pretended = SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(search_options, "subprocess", pretended)
    monkeypatch.setattr(
        search_options,
        "flags_given",
        lambda options: flags_given([*other_flags, *options]),
    )
    return taken


@pytest.fixture
def checked_here(monkeypatch):
    """Checks settings without a process of its own, which takes seconds."""

    def call(function, *arguments, kernel_threads):
        return function(*arguments)

    monkeypatch.setattr(search_options, "call_in_process", call)


def start(monkeypatch, tmp_path, *options, cap="--max_skip_connections=2"):
    sets = tmp_path / "sets"
    sets.write_text(f"nothing:\ncap: {cap}\n")
    argv = [
        "search_options",
        f"--work_dir={tmp_path / 'work'}",
        "--fold=2",
        f"--sets={sets}",
        *options,
    ]
    monkeypatch.setattr(sys, "argv", argv)
    search_options.main()


def test_every_set_is_searched_trained_and_tested(
    commands, checked_here, monkeypatch, tmp_path, capsys
):
    start(
        monkeypatch,
        tmp_path,
        "--records_dir=R",
        "--seeds=0,4",
        "--network=--num_channels=2",
        "--search=--search_epochs=3 --order=second",
        "--train=--train_epochs=5",
    )
    work = tmp_path / "work"
    expected = []
    for seed in (0, 4):
        for name, systems, own in (
            ("nothing", "retrained,random_cell", ""),
            ("cap", "retrained", " --max_skip_connections=2"),
        ):
            where = (
                f"--records_dir=R --run_dir={work}/seed_{seed}/{name} --fold=2"
            )
            sized = f"{where} --seed={seed} --num_channels=2"
            expected += [
                f"-m emotion_nas_tf.search {sized} --streams=spectrogram "
                f"--search_epochs=3 --order=second{own}",
                f"-m emotion_nas_tf.train {sized} --systems={systems} "
                "--train_epochs=5",
                f"-m emotion_nas_tf.evaluate {where}",
            ]
    assert [shlex.join(command) for command in commands] == expected

    tables = capsys.readouterr().out.strip().split("\n\n")
    assert len(tables) == 2
    _, head, drawn, nothing, cap = tables[1].splitlines()
    assert head.split()[:4] == ["options", "trainings", "search", "UA"]
    assert drawn.split() == ["drawn", "cells", "4", "25.0"]
    skips = sum(name == "skip_connect" for name, _ in GENOTYPE.normal)
    assert nothing.split() == [
        *("nothing", "4", "50.0", "50.0"),
        *("+25.0", "±0.0", "4", "0", f"{skips:.1f}"),
    ]
    # Differences of 0 and 25 points, twice: the error of the mean is the
    # deviation, 14.43, over the root of 4.
    assert cap.split() == [
        *("cap", "4", "50.0", "62.5"),
        *("+37.5", "±7.2", "4", "0", "+12.5", "±7.2", "2", "0"),
        f"{skips:.1f}",
    ]


def test_all_programs_may_miss_classes(
    commands, checked_here, monkeypatch, tmp_path
):
    start(monkeypatch, tmp_path, "--records_dir=R", "--allow_missing_classes")
    assert [command[1].rpartition(".")[2] for command in commands] == [
        *("search", "train", "evaluate") * 2
    ]
    assert all("--allow_missing_classes" in command for command in commands)


@pytest.mark.parametrize(
    ("ended", "code", "said", "unsaid"),
    [
        (1, 1, "search failed, as it says above. The same", "another"),
        (-9, 1, "search failed, as it says above. The same", "another"),
        (2, 2, "search refused what it was asked", "goes on"),
    ],
)
def test_ends_where_a_program_fails(
    commands,
    checked_here,
    monkeypatch,
    tmp_path,
    capsys,
    ended,
    code,
    said,
    unsaid,
):
    with pytest.raises(SystemExit) as end:
        start(monkeypatch, tmp_path, f"--records_dir={ended}")
    assert end.value.code == code
    assert len(commands) == 1
    error = capsys.readouterr().err
    assert f"emotion_nas_tf.{said}" in error
    assert unsaid not in error


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--search=--search_epoch=3", "flag 'search_epoch'"),
        ("--train=--train_epochs=0", "flag --train_epochs=0"),
        # Of the wrong program.
        ("--search=--mixup=0.2", "--mixup is a flag of emotion_nas_tf.train"),
        ("--train=--search_epochs=5", "--search_epochs is a flag of"),
        ("--network=--order=second", "--order is a flag of"),
        ("--network=--train_epochs=5", "--train_epochs is a flag of"),
        # All seeds would be alike.
        ("--network=--seed=1", "Leave --seed out"),
        ("--search=--seed=1", "Leave --seed out"),
        ("--train=--seed=1", "Leave --seed out"),
        # Of the other stream.
        ("--network=--hidden_size=8", "--hidden_size does nothing"),
        ("--search=--num_candidates=8", "--num_candidates does nothing"),
        ("--train=--recurrent_mixup=1", "--recurrent_mixup does nothing"),
        # Flags that contradict each other.
        ("--train=--partial_channels=4", "--partial_channels=4"),
        (
            "--search=--search_epochs=2 --architecture_warm_up_epochs=2",
            "--architecture_warm_up_epochs=2 leaves none",
        ),
    ],
)
def test_refuses_wrong_flags_before_the_first_search(
    commands, checked_here, monkeypatch, tmp_path, capsys, option, said
):
    with pytest.raises(SystemExit) as end:
        start(monkeypatch, tmp_path, "--records_dir=R", option)
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not commands


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--train_epochs=5", "--train_epochs is a flag of"),
        ("--mixup=0.2", "--mixup is a flag of emotion_nas_tf.train"),
        ("--seed=1", "Leave --seed out"),
        ("--hidden_size=8", "--hidden_size does nothing"),
        ("--derivation=all_edges", "--derivation cannot be in one set ('cap')"),
        ("--zero_one_weight=1", "--zero_one_weight does nothing"),
    ],
)
def test_refuses_a_wrong_second_set_before_the_first_search(
    commands, checked_here, monkeypatch, tmp_path, capsys, options, said
):
    with pytest.raises(SystemExit) as end:
        start(monkeypatch, tmp_path, "--records_dir=R", cap=options)
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not commands


def test_refuses_settings_that_contradict_each_other_in_one_set(
    commands, monkeypatch, tmp_path, capsys
):
    """By the process of its own, as a user has it."""
    with pytest.raises(SystemExit) as end:
        start(
            monkeypatch,
            tmp_path,
            "--records_dir=R",
            "--search=--watch_hessian",
            cap="--relaxation=gumbel",
        )
    assert end.value.code == 2
    assert "--watch_hessian needs weights" in capsys.readouterr().err
    assert not commands


def test_all_sets_may_have_another_derivation(
    commands, checked_here, monkeypatch, tmp_path
):
    option = "--derivation=all_edges"
    start(monkeypatch, tmp_path, "--records_dir=R", f"--search={option}")
    searches = [c for c in commands if c[1] == "emotion_nas_tf.search"]
    assert len(searches) == 2
    assert all(option in command for command in searches)


def test_every_set_of_ours_changes_the_search(parsed_flags):
    configs = []
    for options in parse_sets(search_options.SETS).values():
        with parsed_flags(*options):
            configs.append(
                (network_flags.network_config(), search_flags.search_config())
            )
    assert len(set(configs)) == len(configs) == 8
