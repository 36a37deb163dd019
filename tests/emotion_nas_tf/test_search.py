"""What `search` refuses before it begins."""

import pytest
from programs import assert_refused, start
from sequence_data import write_sequence_records


@pytest.mark.parametrize(
    ("keep", "messages"),
    [
        (
            lambda speaker, label: (speaker, label) != ("b", "sad"),
            ("Fold 1: speaker b has no utterance of class sad.",
             "--allow_missing_classes"),
        ),
        (
            lambda speaker, label: speaker in "ab" or label != "angry",
            ("there is no utterance of class angry to train on outside",),
        ),
        (
            lambda speaker, label: speaker == "a",
            ("The records hold 1 speaker (a).", "at least three"),
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
