import pytest

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError


def read(path, **settings):
    config = BuildConfig("manifest", path, path.parent / "records", **settings)
    return CORPORA["manifest"](config)


def write(folder, text, audio=True, **keywords):
    """A manifest, and an (empty) audio file for every path in it."""
    path = folder / "manifest.csv"
    path.write_text(text, **keywords)
    if audio:
        for line in text.splitlines()[1:]:
            name = line.split(",")[0].strip()
            if name:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).touch()
    return path


def test_any_labels_speakers_and_formats(tmp_path):
    path = write(
        tmp_path,
        "path,label,speaker,session\n"
        "b/one.wav,zeal,anna,s2\n"
        "a/two.flac,sad,boris,s2\n"
        "a/three.mp3,calm,carla,s10\n"
        "\n"
        " , , , \n"
        "a/four.ogg, neutral ,dmitri,s10\n",
    )
    listing = read(path)
    assert listing.label_names == ("neutral", "sad", "calm", "zeal")
    assert [
        (u.id, u.label, u.speaker, u.session) for u in listing.utterances
    ] == [
        ("b/one", "zeal", "anna", "s2"),
        ("a/two", "sad", "boris", "s2"),
        ("a/three", "calm", "carla", "s10"),
        ("a/four", "neutral", "dmitri", "s10"),
    ]
    assert listing.utterances[0].path == tmp_path / "b" / "one.wav"
    assert listing.excluded == {}
    # Its folder gives the same.
    assert read(tmp_path) == listing


def test_chosen_labels_in_the_chosen_order(tmp_path):
    path = write(
        tmp_path,
        "path,label,speaker\na.wav,x,1\nb.wav,y,1\nc.wav,z,2\nd.wav,z,2\n",
    )
    listing = read(path, emotions=("y", "x"))
    assert listing.label_names == ("y", "x")
    assert listing.excluded == {"label z": 2}
    with pytest.raises(UsageError, match=r"'angry'.*Known: x, y, z"):
        read(path, emotions=("x", "angry"))


@pytest.mark.parametrize(
    "text",
    [
        "path,label,speaker\n{}",
        "path,label,speaker,session\n{}",
    ],
)
def test_without_sessions_pairs_of_speakers_make_them(tmp_path, text):
    rows = "".join(f"{n}.wav,label{n % 2},p{n}\n" for n in (10, 9, 2, 1, 11))
    listing = read(write(tmp_path, text.format(rows)))
    sessions = {u.speaker: u.session for u in listing.utterances}
    assert sessions == {"p1": "1", "p2": "1", "p9": "2", "p10": "2", "p11": "3"}
    assert "(3 in all)" in listing.report[-2]
    assert "p11 is alone" in listing.report[-1]


def test_spreadsheet_habits_are_read(tmp_path):
    path = write(
        tmp_path,
        "Session,Notes,PATH,Label ,Speaker\r\n"
        '1,"loud, near",a.wav,sad,jürgen\r\n'
        "2,,b.wav,happy,bob\r\n",
        audio=False,
        encoding="utf-8-sig",
    )
    (tmp_path / "a.wav").touch()
    listing = read(path)
    assert [u.speaker for u in listing.utterances] == ["jürgen", "bob"]


def test_ids_are_unique(tmp_path):
    elsewhere = tmp_path / "elsewhere" / "e.wav"
    folder = tmp_path / "corpus"
    folder.mkdir()
    path = write(
        folder,
        "path,label,speaker\na.wav,y,1\na.flac,x,1\nb/../b.wav,x,1\n"
        f"{folder}/c.wav,x,1\n{elsewhere},x,1\n../d.wav,x,1\n",
    )
    assert [u.id for u in read(path).utterances] == [
        *("a.wav", "a.flac", "b", "c", "../elsewhere/e", "../d")
    ]
    # The long name of one is the short name of another.
    path = write(
        folder, "path,label,speaker\na.wav,y,1\na.flac,x,1\na.wav.ogg,x,1\n"
    )
    assert [u.id for u in read(path).utterances] == [
        *("a.wav", "a.flac", "a.wav.ogg")
    ]


def test_ids_do_not_depend_on_the_working_directory(tmp_path, monkeypatch):
    path = write(tmp_path, "path,label,speaker\na.wav,x,1\n../b.wav,y,2\n")
    expected = [u.id for u in read(path).utterances]
    monkeypatch.chdir(tmp_path)
    relative = path.relative_to(tmp_path)
    assert [u.id for u in read(relative).utterances] == expected
    monkeypatch.chdir(tmp_path.parent)
    relative = path.relative_to(tmp_path.parent)
    assert [u.id for u in read(relative).utterances] == expected


def test_a_repeated_row_is_counted_once(tmp_path):
    path = write(
        tmp_path, "path,label,speaker\na.wav,x,1\nb.wav,y,2\n./a.wav,x,1\n"
    )
    listing = read(path)
    assert [u.id for u in listing.utterances] == ["a", "b"]
    assert listing.excluded == {"listed twice": 1}


def test_a_missing_audio_file_is_left_to_the_intake(tmp_path):
    path = write(
        tmp_path, "path,label,speaker\na.wav,x,1\nb.wav,y,2\n", audio=False
    )
    with pytest.raises(UsageError, match=r"None of the 2.*a\.wav"):
        read(path)
    (tmp_path / "b.wav").touch()
    assert len(read(path).utterances) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty.*path,label,speaker,session"),
        ("path,label,speaker\n", "no row"),
        ("file,label\na.wav,x\n", "no column path, speaker"),
        ("path;label;speaker\na.wav;x;1\n", "separated by commas"),
        ("path,label,label,speaker\na.wav,x,x,1\n", "column label twice"),
        ("path,label,speaker\na.wav,x,1\nb.wav,,2\nc.wav\n", "line 3, 4"),
        ("path,label,speaker\na.wav,x,1,2\n", "line 2: 4 values"),
        ("path,label,speaker\na.wav,x,1\na.wav,y,1\n", "lines 2 and 3"),
        ("path,label,speaker\na.wav,Sad,1\nb.wav,sad,1\n", "Sad, sad"),
        (
            "path,label,speaker\na.wav,x,Anna\nb.wav,y,anna\n",
            "speakers Anna, anna differ in case",
        ),
        ("path,label,speaker\na.wav,x,1\n", "Only the label x"),
        ('path,label,speaker\na.wav,"x,1\n', "not CSV"),
        (
            "path,label,speaker,session\na.wav,x,F,1\nb.wav,y,F,2\n",
            "speaker F is in the sessions 1, 2",
        ),
        (
            "path,label,speaker,session\na.wav,x,1,1\nb.wav,y,2,\n",
            "line 3 none",
        ),
    ],
)
def test_a_faulty_table_is_explained(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        read(write(tmp_path, text))


@pytest.mark.parametrize("name", ["a/anna", "a\\anna", ".", "..", ".anna"])
@pytest.mark.parametrize("column", ["speaker", "session"])
def test_names_that_cannot_be_folders_are_refused(tmp_path, name, column):
    values = {"speaker": "1", "session": "1", column: name}
    path = write(
        tmp_path,
        "path,label,speaker,session\na.wav,x,2,2\n"
        "b.wav,y,{speaker},{session}\n".format(**values),
    )
    with pytest.raises(UsageError, match=f"line 3: {column} .*folder's name"):
        read(path)


def test_one_chosen_label_is_refused(tmp_path):
    path = write(tmp_path, "path,label,speaker\na.wav,x,1\nb.wav,y,2\n")
    with pytest.raises(UsageError, match="Only the label y"):
        read(path, emotions=("y",))


def test_what_is_not_a_table_is_explained(tmp_path):
    with pytest.raises(UsageError, match=r"no file .*manifest\.csv"):
        read(tmp_path)
    with pytest.raises(UsageError, match=r"no file .*my\.csv"):
        read(tmp_path / "my.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes("path,label,speaker\na.wav,froh,jürgen\n".encode("latin1"))
    with pytest.raises(UsageError, match="UTF-8"):
        read(path)
