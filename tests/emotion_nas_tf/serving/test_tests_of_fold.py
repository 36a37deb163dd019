"""Which of a run's tests are exported: who is first the run knows itself."""

import json
from pathlib import Path

import pytest

from emotion_nas_tf.config import ProtocolConfig
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.serving.selection import chosen_tests
from emotion_nas_tf.serving.selection import tests_of_fold as find_tests
from tfrecords_builder.config import fingerprint
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordEntry, RecordsManifest


def _test(run, speaker, validation=None, fold=2):
    test = RunDirectory(run).test(fold, speaker)
    test.path.mkdir(parents=True)
    if validation:
        test.metrics.write_text(json.dumps({"validation_speaker": validation}))


def _asked(run, which, records="no/such/records"):
    protocol = ProtocolConfig(Path(records), run, (2,), which)
    return [test.test_speaker for test in find_tests(protocol, 2)]


def test_a_run_that_was_evaluated_needs_no_records(tmp_path):
    # Second in natural order, first in alphabetical order.
    _test(tmp_path, "10", "9")
    _test(tmp_path, "1", "2", fold=3)
    assert _asked(tmp_path, "second") == _asked(tmp_path, "both") == ["10"]
    with pytest.raises(
        UsageError,
        match=r"no such test of fold 2 \(it holds that of speaker 10\).*"
        r"--fold=2 --test_speaker=first`, with the run's --records_dir",
    ):
        _asked(tmp_path, "first")


def test_two_tests_know_each_other(tmp_path):
    _test(tmp_path, "10")
    _test(tmp_path, "9")
    assert _asked(tmp_path, "first") == ["9"]
    assert _asked(tmp_path, "second") == ["10"]
    assert _asked(tmp_path, "both") == ["9", "10"]


def _records(folder, sessions):
    """Records of two utterances, one class, of each speaker."""
    folder.mkdir()
    entries = [
        RecordEntry(f"{s}{i}", s, session, 0, f"{s}{i}", 1.0, 0, 0, "")
        for session, speakers in sessions.items()
        for s in speakers
        for i in range(2)
    ]
    RecordsManifest(
        schema_version=1,
        corpus="manifest",
        label_names=("sad",),
        features={},
        fingerprint=fingerprint({"spectrogram": None}),
        compression="none",
        entries=tuple(entries),
        shards=(),
    ).save(folder)
    return folder


def test_one_test_that_was_not_evaluated_needs_its_records(tmp_path):
    run = tmp_path / "run"
    _test(run, "d")
    advice = (
        r"do not say whether speaker d is its first or second: name the run's "
        r"records with --records_dir, or leave --test_speaker out"
    )
    with pytest.raises(UsageError, match=advice):
        _asked(run, "second")
    # Without it there is nothing to decide.
    assert _asked(run, "both") == ["d"]
    own = _records(tmp_path / "own", {"1": "ab", "2": "cd"})
    assert _asked(run, "second", own) == ["d"]
    with pytest.raises(UsageError, match="no such test of fold 2"):
        _asked(run, "first", own)
    # Those of another corpus know nothing of the run.
    other = _records(tmp_path / "other", {"1": "ab", "2": "xy"})
    with pytest.raises(UsageError, match=advice):
        _asked(run, "second", other)


def test_refuses_a_run_or_a_fold_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="There is no run in"):
        _asked(tmp_path / "nowhere", "first")
    with pytest.raises(UsageError, match=r"no such test of fold 2\. `python"):
        _asked(tmp_path, "first")


def test_all_folds_are_those_of_the_run(tmp_path):
    every = ProtocolConfig(tmp_path / "records", tmp_path / "run", None)
    with pytest.raises(UsageError, match="There is no run in"):
        chosen_tests(every)
    for fold, speaker in ((10, "x"), (2, "c"), (2, "d")):
        _test(every.run_dir, speaker, fold=fold)
    found = [(test.fold, test.test_speaker) for test in chosen_tests(every)]
    assert found == [(2, "c"), (2, "d"), (10, "x")]
