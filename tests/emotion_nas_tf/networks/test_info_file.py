"""`network.json`: there and readable, or a sentence that says what to do."""

import dataclasses
import json

import pytest

from emotion_nas_tf.networks.info_file import read_info, write_info
from emotion_nas_tf.run_directory import RunDirectory
from tfrecords_builder.errors import UsageError, WorkError


@dataclasses.dataclass
class Known:
    """A system of two fields."""

    system: str
    label_names: tuple[str, ...]


@pytest.fixture
def directory(tmp_path):
    directory = RunDirectory(tmp_path).test(2, "08")
    directory.system("lstm").mkdir(parents=True)
    return directory


def read(directory, schema_version=1):
    return read_info(
        directory.system("lstm"),
        title="trained lstm network",
        maker="emotion_nas_tf.train --streams=recurrent",
        schema_version=schema_version,
        kind=Known,
    )


def test_reads_what_was_written(directory):
    fields = {"system": "lstm", "label_names": ["neutral", "wütend"]}
    write_info(directory.system("lstm"), fields, schema_version=1)
    assert read(directory) == fields
    on_disk = json.loads(directory.info("lstm").read_text("utf-8"))
    assert on_disk == {**fields, "schema_version": 1}


def test_names_the_program_that_makes_what_is_missing(directory):
    with pytest.raises(UsageError) as caught:
        read(directory)
    assert str(caught.value) == (
        f"There is no trained lstm network in {directory.system('lstm')}. "
        "`python -m emotion_nas_tf.train --streams=recurrent` with the same "
        "--run_dir and --fold makes it."
    )


@pytest.mark.parametrize(
    ("content", "which"),
    [
        ({"schema_version": 2, "system": "lstm", "label_names": []}, ""),
        ({"system": "lstm", "label_names": []}, ""),
        ({"schema_version": 1, "system": "lstm"}, r" \(label_names\)"),
        (
            {
                "schema_version": 1,
                "system": "lstm",
                "label_names": [],
                "records": "1f",
            },
            r" \(records\)",
        ),
    ],
    ids=["later version", "no version", "a field too few", "one too many"],
)
def test_refuses_another_release(directory, content, which):
    directory.info("lstm").write_text(json.dumps(content))
    with pytest.raises(
        UsageError, match=f"another release of this program{which}. .* remove"
    ):
        read(directory)


def test_a_damaged_file_is_no_missing_one(directory):
    directory.info("lstm").write_text("{")
    with pytest.raises(WorkError, match=r"network\.json is damaged"):
        read(directory)
