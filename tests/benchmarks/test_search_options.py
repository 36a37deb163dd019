"""The comparison of search options, with programs that are only pretended."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import search_options
from benchmarks.ablation import flags_given, parse_sets
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from flags import network_flags, search_flags

GENOTYPE = random_genotype(0)


@pytest.fixture
def commands(monkeypatch, other_flags):
    """Answers for the three programs; takes what they were asked."""
    taken = []

    def run(command, **_):
        taken.append(command[3:])
        _, _, program, *options = command
        given = dict(o.removeprefix("--").split("=", 1) for o in options)
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
        return SimpleNamespace(returncode=int("fail" in given["records_dir"]))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(
        search_options,
        "flags_given",
        lambda options: flags_given([*other_flags, *options]),
    )
    return taken


def start(monkeypatch, tmp_path, *options):
    sets = tmp_path / "sets"
    sets.write_text("nothing:\ncap: --max_skip_connections=2\n")
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
    commands, monkeypatch, tmp_path, capsys
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
                f"{sized} --streams=spectrogram --search_epochs=3 "
                f"--order=second{own}",
                f"{sized} --systems={systems} --train_epochs=5",
                where,
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


def test_ends_where_a_program_fails(commands, monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        start(monkeypatch, tmp_path, "--records_dir=fail")
    assert end.value.code == 1
    assert len(commands) == 1
    assert "emotion_nas_tf.search failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--search=--search_epoch=3", "--train=--train_epochs=0"]
)
def test_refuses_wrong_flags_before_the_first_search(
    commands, monkeypatch, tmp_path, option
):
    with pytest.raises(SystemExit) as end:
        start(monkeypatch, tmp_path, "--records_dir=R", option)
    assert end.value.code == 2
    assert not commands


def test_every_set_of_ours_changes_the_search(parsed_flags):
    configs = []
    for options in parse_sets(search_options.SETS).values():
        with parsed_flags(*options):
            configs.append(
                (network_flags.network_config(), search_flags.search_config())
            )
    assert len(set(configs)) == len(configs) == 8
