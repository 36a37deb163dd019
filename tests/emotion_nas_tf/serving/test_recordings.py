"""Which files a command line means."""

import pytest

from emotion_nas_tf.serving.recordings import find_recordings
from tfrecords_builder.errors import UsageError


def names(arguments):
    return [each.name for each in find_recordings(list(map(str, arguments)))]


def test_a_folder_stands_for_the_audio_within(tmp_path):
    for name in (
        "10.wav",
        "2.WAV",
        "b/1.mp3",
        "notes.txt",
        "._2.wav",
        ".x/a.wav",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "b" / "back").symlink_to(tmp_path)
    found = [str(tmp_path / name) for name in ("2.WAV", "10.wav", "b/1.mp3")]
    assert names([tmp_path]) == found
    # Each once.
    assert names([tmp_path / "10.wav", tmp_path]) == [
        *(found[1], found[0], found[2])
    ]
    # A file named by itself may have any ending.
    assert names([tmp_path / "notes.txt"]) == [str(tmp_path / "notes.txt")]


def test_refuses_what_does_not_exist_all_at_once(tmp_path):
    (tmp_path / "a.wav").touch()
    with pytest.raises(
        UsageError, match=r"^There is no file or folder b\.wav, folder/, c\.csv"
    ):
        names(["b.wav", tmp_path / "a.wav", "folder/", "c.csv"])


def test_a_list_names_files_relative_to_itself(tmp_path):
    path = tmp_path / "all.csv"
    path.write_text('\ufefflabel, Path\nx,"a, b.wav"\ny,c.wav\n,\nz,c.wav\n')
    assert names([path]) == ["a, b.wav", "c.wav"]
    assert find_recordings([str(path)])[1].path == tmp_path / "c.wav"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"label\nx\n", "has no column `path`"),
        (b"path\n\n", "names no recording"),
        (b"", "has no column `path`"),
        (b"path,Path ,x\na,b,c\n", "has 2 columns `path`: which of them"),
        (b"path\n\xff\xfe\x00", "no CSV file in UTF-8"),
    ],
)
def test_refuses_what_is_no_list(tmp_path, content, message):
    path = tmp_path / "all.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        find_recordings([str(path)])


def test_refuses_a_folder_without_audio_and_two_files_of_a_name(tmp_path):
    with pytest.raises(UsageError, match="no audio in the folder"):
        find_recordings([str(tmp_path)])
    lists = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        lists.append(tmp_path / folder / "all.csv")
        lists[-1].write_text("path\n1.wav\n")
    with pytest.raises(UsageError, match=r"Two files are called 1\.wav"):
        find_recordings(list(map(str, lists)))
