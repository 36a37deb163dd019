"""What `run` decides and says; `make demo` runs it."""

import dataclasses
import json
import os
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from programs import assert_refused, start

from emotion_nas_tf import run
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
from emotion_nas_tf.evaluation import results
from emotion_nas_tf.recurrent.generator import generate_pool
from emotion_nas_tf.recurrent.recipe_files import save_recipe
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from tfrecords_builder.config import spectrogram_preset


@pytest.fixture
def directory(tmp_path):
    """A test's folder."""
    directory = RunDirectory(tmp_path).test(2, "08")
    directory.spectrogram.mkdir(parents=True)
    return directory


def test_the_end_says_what_was_found_and_how_to_go_on(directory, capsys):
    genotype = random_genotype(0)
    directory.genotype.write_text(genotype.to_json())

    runs = RunDirectory(directory.path.parents[1])
    labels = ["angry", "sad"]
    # UA 1/2 of speaker 03; (3/4 + 1) / 2 of speaker 08.
    for speaker, matrix in (
        ("03", [[0, 4], [0, 4]]),
        ("08", [[3, 1], [0, 4]]),
    ):
        described = {
            name: results.describe_matrix(np.array(of), labels)
            for name, of in (
                ("search", [[4, 0], [4, 0]]),
                ("retrained", matrix),
            )
        }
        content = {
            "schema_version": results.SCHEMA_VERSION,
            "fold": 2,
            "test_speaker": speaker,
            "validation_speaker": "09",
            "fingerprint": "f",
            "label_names": labels,
            "systems": described,
        }
        path = runs.test(2, speaker).metrics
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    measured = results.collect_results(runs)
    folds = [SimpleNamespace(number=2, test_speaker=s) for s in ("03", "08")]
    run._print_end(runs, folds, measured, runs.report, "retrained")

    text = capsys.readouterr().out
    assert genotype.to_text() in text
    assert str(runs.report) in text
    assert (
        "Unseen speaker 08: UA 87.5 % by the exported retrained, chance 50.0 %"
    ) in text
    assert f"SavedModel:  {directory.model}\n" in text
    # A network that hears what no model can compute.
    run._print_end(runs, folds, measured, runs.report, "retrained", False)
    alone = capsys.readouterr().out
    assert "Unseen speaker 08: UA 87.5 % by the retrained, chance" in alone
    assert "SavedModel:  none, the encoder" in alone
    assert "emotion_nas_tf.predict" not in alone
    *_, board, predict = text.splitlines()
    assert board.endswith(f" -m tensorboard.main --logdir={runs.path}")
    assert predict.endswith(
        f" -m emotion_nas_tf.predict --model={directory.model} YOUR.wav"
    )
    # As typed from here, the commands start this very Python.
    python = shutil.which(board.split()[0])
    assert os.path.samefile(python, sys.executable)


def asked(streams, num_workers=0):
    """Settings of a run, as far as its shares go."""
    return RunConfig(
        streams,
        NetworkConfig(),
        SearchConfig(),
        DerivedTrainConfig(),
        RecurrentConfig(),
        CandidateSearchConfig(num_workers=num_workers),
        RecurrentTrainConfig(),
        FusionConfig(),
    )


@pytest.fixture
def machine(monkeypatch):
    """16 cores, 8 GB, of which a search needs 3; 4 tests at a time wanted."""
    monkeypatch.setattr(run.joblib, "cpu_count", lambda: 16)
    monkeypatch.setattr(run, "available_memory", lambda: 8e9)
    monkeypatch.setattr(
        run,
        "search_memory",
        lambda *of, recompute: 1.5e9 if recompute else 3e9,
    )
    monkeypatch.setattr(run.run_flags, "parallel_tests", lambda: 4)
    features = dataclasses.asdict(spectrogram_preset())
    return SimpleNamespace(features={"spectrogram": features})


def test_memory_counts_where_cells_are_searched(machine, capsys):
    both = asked(("spectrogram", "recurrent"))
    assert run._tests_at_a_time(machine, both, 10) == 2
    # 3.75 GB each, with the process that waits for the search.
    assert "2 instead of 4 tests at a time" in capsys.readouterr().err
    less = dataclasses.replace(both.search, recompute=True)
    less = dataclasses.replace(both, search=less)
    assert run._tests_at_a_time(machine, less, 10) == 3
    assert "3 instead of 4 tests at a time" in capsys.readouterr().err
    alone = asked(("recurrent",))
    assert run._tests_at_a_time(machine, alone, 10) == 4
    assert run._tests_at_a_time(machine, alone, 3) == 3
    assert capsys.readouterr().err == ""


def test_tests_share_the_cores_for_their_candidates(machine):
    config = asked(("recurrent",))
    workers = {
        number: run._share_cores(config, number).candidates.num_workers
        for number in (1, 3, 4, 20)
    }
    # One alone takes all, which 0 stands for.
    assert workers == {1: 0, 3: 5, 4: 4, 20: 1}
    said = asked(("recurrent",), num_workers=7)
    assert run._share_cores(said, 4) == said
    # A run may go on with another number of tests at a time.
    assert run.run_flags.run_settings(
        "r", run._share_cores(config, 4)
    ) == run.run_flags.run_settings("r", config)


def test_a_run_goes_on_with_the_same_recipes_wherever_they_lie(tmp_path):
    first, second = generate_pool(2, 0)
    paths = [tmp_path / name for name in ("a.json", "moved.json", "b.json")]
    for path, recipe in zip(paths, (first, first, second), strict=True):
        save_recipe(recipe, path)

    def settings(path):
        candidates = CandidateSearchConfig(5, 5, (path,))
        config = asked(("recurrent",))
        return run._settings(
            "r", dataclasses.replace(config, candidates=candidates)
        )

    noted, moved, other = map(settings, paths)
    assert noted == moved
    assert {k for k in noted if noted[k] != other[k]} == {"candidates_sha256"}


def test_a_run_that_cannot_end_does_not_begin(small_records, tmp_path):
    process = start(
        "run",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
        f"--wav2vec_checkpoint={tmp_path / 'none.npz'}",
    )
    assert_refused(process, "--wav2vec_checkpoint does nothing here")
    assert list(tmp_path.iterdir()) == []
