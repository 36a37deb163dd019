"""The programs as a user starts them, mostly wrongly."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sequence_data import write_sequence_records

ROOT = Path(__file__).resolve().parents[2]
EDGES = [["max_pool_3x3", 0], ["skip_connect", 1]] * 4
CONCAT = [2, 3, 4, 5]


def start(program, *flags):
    return subprocess.run(
        [sys.executable, "-m", f"emotion_nas_tf.{program}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_refused(process, *messages):
    """One helpful sentence, exit code 2, nothing on standard output."""
    assert process.returncode == 2, process.stderr
    for message in messages:
        assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["train", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["run", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["evaluate", "--fold=2", "--records_dir=FOLDER"], "no records in"),
        (["search"], "Say which fold with --fold=2"),
        (["run", "--folds=1,two"], "--folds must list fold numbers from 1"),
        (["run", "--fold=2", "--folds=1"], "Say which fold with --fold=2"),
        (["evaluate"], "--fold=2"),
        (["evaluate", "--fold=two"], "--fold"),
        (["search", "--fold=0"], "flag --fold=0"),
        (["search", "--fold=2", "--streams=wav2vec"], "wav2vec is no stream"),
        (["search", "--fold=2", "--rung_epochs=3,x"], "--rung_epochs must"),
        (["search", "--learning_rate=nan"], "flag --learning_rate=nan: it mu"),
        (["train", "--learning_rate=0"], "--learning_rate=0.0: it must be gr"),
        (["fuse", "--fusion_learning_rate=0"], "it must be greater than 0"),
        (["train", "--weight_decay=inf"], "flag --weight_decay=inf: it must"),
        (["search", "--fold=2", "--epochs=3"], "Unknown command line flag"),
        (["search", "--fold=2", "stray"], "Only flags are understood"),
        (["train", "--fold=2", "stray"], "Only flags are understood"),
        (["run", "--fold=2", "stray"], "Only flags are understood"),
        (["describe", "stray"], "Only flags are understood"),
        (["evaluate", "--fold=2", "stray"], "Only flags are understood"),
        (["train", "--fold=2", "--systems=foo"], "foo is nothing to train"),
        (["train", "--fold=2", "--systems=search"], "search is nothing to tr"),
        (["train", "--fold=2", "--streams=foo"], "foo is no stream; there"),
        (
            ["train", "--fold=2", "--streams=spectrogram", "--systems=gru"],
            "gru is of the stream recurrent, which --streams=spectrogram",
        ),
        (["describe", "--genotype=FOLDER/g.json"], "no genotype file FOLDER"),
        # A flag that would do nothing is refused.
        (["search", "--fold=2", "--genotype=a.json"], "Unknown command line"),
        (["search", "--fold=2", "--recipe=gru"], "Unknown command line flag"),
        (["run", "--fold=2", "--systems=retrained"], "Unknown command line"),
        (["evaluate", "--fold=2", "--streams=recurrent"], "Unknown command"),
        (["evaluate", "--fold=2", "--seed=1"], "Unknown command line flag"),
        (["export", "--fold=2", "--seed=1"], "Unknown command line flag"),
        (["report", "--seed=1"], "Unknown command line flag"),
        (["describe", "--num_cells=2"], "flag --num_cells=2"),
        (["describe", "--recipe=lstm"], "--recipe does nothing with --stream"),
        (["describe", "--stream=wav2vec"], "Which recurrent cell? Name"),
        (
            ["describe", "--stream=wav2vec", "--recipe=FOLDER/r.json"],
            "no recipe file FOLDER",
        ),
        (["fuse"], "Say which fold with --fold=2"),
        (["fuse", "--fold=2", "--records_dir=FOLDER"], "no records in"),
        (["fuse", "--fold=2", "--fused=fusion"], "--fused must name systems"),
        (["fuse", "--fold=2", "--fused=lstm,lstm"], "each once"),
        (["fuse", "--fold=2", "--fusion_data=test"], "flag --fusion_data=test"),
        (["fuse", "--fold=2", "--cross_fit_groups=3"], "does nothing with --f"),
        (["compare", "--run_dirs=FOLDER"], "at least two runs, each once"),
        (["export", "--fold=2", "--run_dir=FOLDER/none"], "There is no run"),
        (["run", "--fold=2", "--fused=lstm"], "fuses one system of each"),
        (["predict", "a.wav"], "--model"),
        (["predict", "--model=FOLDER"], "Which recordings? Name audio"),
        (["predict", "--model=FOLDER", "a.wav"], "no exported model in"),
        (["export", "--fold=2", "--system=majority"], "cannot be exported"),
        (["export", "--fold=2", "--version=3"], "--version does nothing with"),
        (["report", "--run_dir=FOLDER/none"], "There is no run in"),
        (["report", "--figures", "--run_dir=FOLDER/none"], "There is no run"),
        # Before anything is computed: the runs are not there either.
        (
            ["compare", "--run_dirs=a,b", "--output=/dev/null/x.json"],
            "/dev/null is no folder. Name a file in another folder.",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, arguments, message):
    program, *flags = (
        part.replace("FOLDER", str(tmp_path)) for part in arguments
    )
    assert_refused(
        start(program, *flags), message.replace("FOLDER", str(tmp_path))
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("normal", "message"),
    [
        ([["conv_7x7", 0], *EDGES[1:]], "unknown operation 'conv_7x7'"),
        (
            [*EDGES[:2], ["skip_connect", 5], *EDGES[3:]],
            "node 3 reads from node 5; a node may read only from earlier",
        ),
    ],
)
def test_describe_refuses_a_wrong_genotype(tmp_path, normal, message):
    path = tmp_path / "cells.json"
    path.write_text(
        json.dumps(
            {
                "normal": normal,
                "normal_concat": CONCAT,
                "reduce": EDGES,
                "reduce_concat": CONCAT,
            }
        )
    )
    process = start("describe", f"--genotype={path}")
    assert_refused(process, f"{path}: Genotype.normal", message)


@pytest.mark.parametrize("program", ["search", "train", "run"])
def test_fold_that_does_not_exist(small_records, tmp_path, program):
    process = start(
        program,
        "--fold=7",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
    )
    assert_refused(
        process,
        "Fold 7 does not exist",
        "There are: fold 1 holds out session 1 "
        "(speakers a, b); fold 2 holds out session 2 (speakers c, d)",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("keep", "messages"),
    [
        (
            lambda speaker, label: (speaker, label) != ("b", "sad"),
            ("no utterance of class sad in the validation split (speaker b)",
             "--allow_missing_classes"),
        ),
        (
            lambda speaker, label: speaker in "ab" or label != "angry",
            ("no utterance of class angry in the training split",),
        ),
        (
            lambda speaker, label: speaker == "a",
            ("The records hold 1 speaker(s): a.", "at least three"),
        ),
    ],
    ids=["class nobody validates", "class nobody trains", "one speaker"],
)  # fmt: skip
def test_records_that_make_no_fold(
    write_small_records, tmp_path, keep, messages
):
    (tmp_path / "records").mkdir()
    records = write_small_records(tmp_path / "records", keep)
    process = start(
        "search",
        "--fold=1",
        f"--records_dir={records}",
        f"--run_dir={tmp_path / 'run'}",
    )
    assert_refused(process, *messages)
    assert not (tmp_path / "run").exists()


def test_altered_shard_is_named_before_the_search(
    write_small_records, tmp_path
):
    (tmp_path / "records").mkdir()
    records = write_small_records(tmp_path / "records")
    shard = records / "all.tfrecord"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    process = start(
        "search",
        "--fold=1",
        f"--records_dir={records}",
        f"--run_dir={tmp_path / 'run'}",
    )
    assert_refused(process, "all.tfrecord", "altered")
    assert not (tmp_path / "run").exists()


def test_run_folder_that_cannot_be_made(small_records, tmp_path):
    """A path below a regular file; permissions do not stop every user."""
    (tmp_path / "file").write_text("kept")
    process = start(
        "search",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'file' / 'run'}",
    )
    assert_refused(process, "cannot be made (Not a directory)", "--run_dir")
    assert (tmp_path / "file").read_text() == "kept"


def test_predict_refuses_an_output_before_it_opens_the_model(tmp_path):
    # An empty model: opening it would be another error.
    (tmp_path / "saved_model.pb").touch()
    process = start(
        "predict",
        f"--model={tmp_path}",
        "--output=/dev/null/all.csv",
        "a.wav",
    )
    assert_refused(process, "/dev/null is no folder. Name a file in another")


def test_describe_prints_one_json_object():
    process = start("describe", "--num_cells=3", "--num_channels=4")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == {
        "stream": "spectrogram",
        "network": "search",
        "num_cells": 3,
        "num_channels": 4,
        "num_nodes": 4,
        "relaxation": "softmax",
        "partial_channels": 1,
        "num_classes": 4,
        "parameters": {"trainable": 72_248, "architecture": 224},
    }


def test_describe_counts_a_recurrent_network(tmp_path):
    """A state aside: counted, and warned of."""
    path = tmp_path / "recipe.json"
    recipe = {
        "f": {"op": "linear", "input": ["x", "h_prev_0"]},
        "h_new_0": {"op": "activation_tanh", "input": ["f"]},
        "g": {"op": "linear", "input": ["h_prev_1", "f"]},
        "h_new_1": {"op": "activation_sigm", "input": ["g"]},
    }
    path.write_text(json.dumps(recipe))
    process = start(
        "describe",
        "--stream=wav2vec",
        f"--recipe={path}",
        "--num_layers=2",
        "--hidden_size=8",
        "--input_size=5",
    )
    assert process.returncode == 0, process.stderr
    assert "h_new_1 never reaches the output" in process.stderr
    described = json.loads(process.stdout)
    recurrent = (5 * 8 + 3 * 64 + 2 * 8) + (8 * 8 + 3 * 64 + 2 * 8)
    head = (8 + 1) + (8 + 1) * 4
    assert described["parameters"] == {
        "recurrent": recurrent,
        "head": head,
        "total": recurrent + head,
    }
    assert described["recipe"] == recipe
    assert len(described["warnings"]) == 1


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


def test_candidates_are_checked_before_the_other_stream(tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    write_sequence_records(records)
    process = start(
        "search",
        "--fold=1",
        f"--records_dir={records}",
        f"--run_dir={tmp_path / 'run'}",
        "--num_candidates=30",
    )
    assert_refused(process, "The pool holds 24", "--num_candidates=30")
    assert not (tmp_path / "run").exists()


def test_a_stream_that_the_records_do_not_have(small_records, tmp_path):
    process = start(
        "train",
        "--fold=1",
        f"--records_dir={small_records}",
        f"--run_dir={tmp_path / 'run'}",
        "--systems=lstm",
    )
    assert_refused(process, "no features over time", "--sequence_features")
    assert not (tmp_path / "run").exists()
