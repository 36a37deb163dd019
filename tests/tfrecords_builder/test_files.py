"""Where results may be written is known before they are computed."""

import os

import pytest

from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import prepare_output


def test_makes_the_folder_of_a_result(tmp_path):
    prepare_output(tmp_path / "a" / "b" / "all.csv", "--output")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_refuses_a_folder_and_what_lies_below_a_file(tmp_path):
    with pytest.raises(UsageError, match=r"--output=.* is a folder; name a f"):
        prepare_output(tmp_path, "--output")
    (tmp_path / "file").write_text("kept")
    for name, why in (("file/x", "is no"), ("file/sub/x", "cannot be made")):
        with pytest.raises(UsageError, match=f"{why}.* Name a file in another"):
            prepare_output(tmp_path / name, "--output")
    assert (tmp_path / "file").read_text() == "kept"


def test_refuses_a_folder_that_may_not_be_written_to(tmp_path, monkeypatch):
    # For every user: the system administrator may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(UsageError, match="may not be written to"):
        prepare_output(tmp_path / "x.csv", "--output")
