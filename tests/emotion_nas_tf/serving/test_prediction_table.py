"""The table of many predictions: what is kept, what is not, what is refused.

That a killed program goes on with it is tested with the program.
"""

import csv

import pytest

from emotion_nas_tf.serving.prediction_table import PredictionTable
from emotion_nas_tf.serving.recordings import Recording
from tfrecords_builder.errors import UsageError


@pytest.fixture
def recordings(tmp_path):
    made = []
    # A comma, a line's end, bytes that are no UTF-8: names may hold them.
    for name in ("a.wav", "b, c.wav", "d\ne.wav", "\udcff.wav"):
        path = tmp_path / name
        path.write_text(name[:1].encode("ascii", "replace").decode())
        made.append(Recording(name, path))
    return made


def rows(table):
    with table.path.open(
        encoding="utf-8", errors="surrogateescape", newline=""
    ) as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def table(tmp_path, columns=("p_a", "p_b"), model="m1"):
    return PredictionTable(tmp_path / "out.csv", columns, model)


def test_keeps_rows_of_this_model_and_of_unchanged_files(tmp_path, recordings):
    first = table(tmp_path)
    assert first.open(recordings) == recordings
    first.add((each, {"predicted": "a", "p_a": "1"}) for each in recordings[1:])
    first.add([(recordings[0], {"error": "broken"})])
    first.finish(recordings)
    assert list(rows(first)) == [each.name for each in recordings]
    # An error is not kept, nor is a file that has changed.
    recordings[2].path.write_text("something else")
    assert table(tmp_path).open(recordings) == [recordings[0], recordings[2]]
    # Rows of files that nobody asks for stay, and come last.
    again = table(tmp_path)
    assert again.open(recordings[3:]) == []
    again.finish(recordings[3:])
    assert list(rows(again)) == [recordings[3].name, recordings[1].name]


def test_refuses_a_table_of_another_model(tmp_path, recordings):
    first = table(tmp_path)
    first.open(recordings)
    first.add((each, {"predicted": "a"}) for each in recordings)
    before = first.path.read_bytes()
    with pytest.raises(UsageError, match=r"another model \(m1; .* is m2\)"):
        table(tmp_path, model="m2").open(recordings)
    assert first.path.read_bytes() == before


def test_a_row_that_was_cut_off_is_made_again(tmp_path, recordings):
    first = table(tmp_path)
    first.open(recordings)
    first.add((each, {"predicted": "a"}) for each in recordings)
    whole = first.path.read_bytes()
    for end in range(len(whole) - 40, len(whole)):
        first.path.write_bytes(whole[:end])
        assert recordings[3] in table(tmp_path).open(recordings)
        kept = rows(first)
        assert set(kept) <= {each.name for each in recordings[:3]}
        assert kept["a.wav"]["predicted"] == "a"


@pytest.mark.parametrize("content", [b"thesis\n", b"\xff\x00", b"path,pred"])
def test_refuses_to_write_over_anything_else(tmp_path, recordings, content):
    path = tmp_path / "out.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="no table of predictions"):
        table(tmp_path).open(recordings)
    assert path.read_bytes() == content


def test_refuses_a_table_of_other_classes_and_a_folder(tmp_path, recordings):
    table(tmp_path).open(recordings)
    with pytest.raises(UsageError, match="of these classes"):
        table(tmp_path, ("p_c",)).open(recordings)
    with pytest.raises(UsageError, match="is a folder"):
        PredictionTable(tmp_path, ("p_a",), "m").open(recordings)
