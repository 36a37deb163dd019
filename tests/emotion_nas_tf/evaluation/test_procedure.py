"""What of a test counts as done."""

import json
import os

import pytest

from emotion_nas_tf.evaluation import procedure
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.systems import SPECTROGRAM, systems_of

SYSTEMS = systems_of(SPECTROGRAM)


@pytest.fixture
def directory(tmp_path):
    """A test whose networks were made at second 100."""
    directory = RunDirectory(tmp_path).test(2, "08")
    for system in SYSTEMS:
        touch(directory.info(system), 100)
    return directory


def touch(path, second):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (second, second))


def write_metrics(directory, systems, second, fingerprint="f"):
    content = {"systems": dict.fromkeys(systems), "fingerprint": fingerprint}
    directory.metrics.write_text(json.dumps(content))
    os.utime(directory.metrics, (second, second))


def test_results_are_kept_while_no_network_is_newer(directory):
    assert not procedure.has_results(directory, "f", SYSTEMS)
    write_metrics(directory, SYSTEMS, second=99)
    assert not procedure.has_results(directory, "f", SYSTEMS)
    write_metrics(directory, SYSTEMS, second=100)
    assert procedure.has_results(directory, "f", SYSTEMS)
    assert not procedure.has_results(directory, "another", SYSTEMS)
    # `evaluate --systems=search` leaves the others to be done.
    write_metrics(directory, ("search",), second=100)
    assert not procedure.has_results(directory, "f", SYSTEMS)


def test_model_is_kept_while_it_is_the_retrained_network(directory):
    assert not procedure.has_model(directory)
    directory.model.mkdir()
    assert not procedure.has_model(directory)
    metadata = directory.model / "assets" / "metadata.json"
    touch(directory.model / "saved_model.pb", 100)
    touch(metadata, 100)
    metadata.write_text('{"system": "retrained"}')
    assert procedure.has_model(directory)
    metadata.write_text('{"system": "search"}')
    assert not procedure.has_model(directory)
    metadata.write_text('{"system": "retrained"}')
    touch(directory.info("retrained"), 101)
    assert not procedure.has_model(directory)
