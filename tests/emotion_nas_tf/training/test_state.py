"""A folder belongs to the settings it was made with."""

import json

import pytest

from emotion_nas_tf.config import TrainConfig, as_json
from emotion_nas_tf.training.state import claim_folder
from tfrecords_builder.errors import UsageError, WorkError

SETTINGS = {"epochs": 3, "seed": 0, "cells": (("skip_connect", 0),)}


def test_same_settings_go_on(tmp_path):
    folder = tmp_path / "a" / "b"
    claim_folder(folder, SETTINGS)
    written = (folder / "config.json").read_bytes()
    # Tuples compare equal to the lists that JSON makes of them.
    claim_folder(folder, SETTINGS)
    assert (folder / "config.json").read_bytes() == written
    assert json.loads(written) == {**SETTINGS, "cells": [["skip_connect", 0]]}


def test_other_settings_are_refused_by_name(tmp_path):
    claim_folder(tmp_path, SETTINGS)
    written = (tmp_path / "config.json").read_bytes()
    changed = {**SETTINGS, "epochs": 4, "balance": "none"}
    with pytest.raises(UsageError) as refusal:
        claim_folder(tmp_path, changed)
    assert str(refusal.value) == (
        f"{tmp_path} holds work of other settings (balance: None there, none "
        "now, epochs: 3 there, 4 now). Use the same settings to go on with "
        "it, another --run_dir, or remove it."
    )
    assert (tmp_path / "config.json").read_bytes() == written


def test_what_changes_no_result_may_differ_when_a_run_goes_on(tmp_path):
    claim_folder(tmp_path, as_json(TrainConfig(checkpoint_minutes=10)))
    claim_folder(tmp_path, as_json(TrainConfig(checkpoint_minutes=1)))
    with pytest.raises(UsageError, match="deterministic: False there, True"):
        claim_folder(tmp_path, as_json(TrainConfig(deterministic=True)))


def test_commands_are_noted_and_may_differ(tmp_path):
    claim_folder(tmp_path, SETTINGS, "search --fold=1")
    claim_folder(tmp_path, SETTINGS, "search --fold=2")
    claim_folder(tmp_path, SETTINGS, "search --fold=1")
    noted = json.loads((tmp_path / "config.json").read_text())
    assert noted.pop("command") == "search --fold=1\nsearch --fold=2"
    assert noted == {**SETTINGS, "cells": [["skip_connect", 0]]}


def test_damaged_note_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"epochs": 3')
    with pytest.raises(WorkError, match=r"config\.json is damaged"):
        claim_folder(tmp_path, SETTINGS)


def test_folder_that_cannot_be_made(tmp_path):
    """A path below a regular file; permissions do not stop every user."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError) as refusal:
        claim_folder(tmp_path / "file" / "run", SETTINGS)
    assert str(refusal.value) == (
        f"The folder {tmp_path / 'file' / 'run'} cannot be made (Not a "
        "directory). Choose another --run_dir."
    )
    assert (tmp_path / "file").read_text() == "kept"
