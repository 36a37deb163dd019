"""The programs as a user starts them, mostly wrongly."""

import pytest
from programs import assert_refused, start


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["train", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["run", "--fold=2", "--records_dir=FOLDER"], "tfrecords_builder."),
        (["evaluate", "--fold=2", "--records_dir=FOLDER"], "no records in"),
        (["search"], "Say which fold with --fold=2"),
        (["run", "--folds=1,two"], "--folds must list fold numbers from 1"),
        (["run", "--folds=all,2"], "or be `all`. Received: all,2"),
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
        (
            ["search", "--fold=2", "--zero_one_weight=1"],
            "--relaxation=softmax: it is for",
        ),
        (
            ["run", "--fold=2", "--mutations=3"],
            "--mutations does nothing without --gener",
        ),
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
        (["ensemble", "--run_dirs=FOLDER"], "at least two runs, each once"),
        (["ensemble", "--run_dirs=a,b"], "Where does the ensemble go? Name"),
        (
            ["ensemble", "--run_dirs=FOLDER/a,FOLDER/b", "--run_dir=FOLDER/c"],
            "There is no run in FOLDER/a",
        ),
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


@pytest.mark.parametrize("flag", ["--help", "--helpfull"])
def test_help_is_no_failure(flag):
    process = start("report", flag)
    assert process.returncode == 0, process.stderr
    assert "--[no]figures" in process.stdout
    assert process.stderr == ""


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
