import re
from collections import Counter

import pytest

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError

# Neutral, angry, happy and sad files of the published corpus.
PUBLISHED = {
    "03": (11, 14, 7, 7),
    "08": (10, 12, 11, 9),
    "09": (9, 13, 4, 4),
    "10": (4, 10, 4, 3),
    "11": (9, 11, 8, 7),
    "12": (4, 12, 2, 4),
    "13": (9, 12, 10, 5),
    "14": (7, 16, 8, 10),
    "15": (11, 13, 6, 4),
    "16": (5, 14, 11, 9),
}


def read(folder, **settings):
    config = BuildConfig("emodb", folder, folder / "records", **settings)
    return CORPORA["emodb"](config)


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_the_real_corpus(shared_dir):
    folder = shared_dir / "data" / "emodb" / "wav"
    if not folder.is_dir():
        pytest.skip(f"no EmoDB in {folder.parent.name}")
    listing = read(folder)
    assert listing.label_names == ("neutral", "angry", "happy", "sad")
    counts = Counter((u.speaker, u.label) for u in listing.utterances)
    found = {
        speaker: tuple(counts[speaker, name] for name in listing.label_names)
        for speaker in {u.speaker for u in listing.utterances}
    }
    assert found == PUBLISHED
    sessions = Counter(u.session for u in listing.utterances)
    assert sessions == {"1": 69, "2": 63, "3": 71, "4": 63, "5": 73}
    assert len({u.id for u in listing.utterances}) == 339
    assert listing.excluded == {}
    assert re.search(r"all +79 +127 +71 +62 +339", "\n".join(listing.report))
    # The folder above gives the same.
    assert read(folder.parent) == listing


def test_other_emotions_are_counted_or_taken(tmp_path):
    touch(
        tmp_path,
        *("03a01Na.wav", "03a01Wa.wav", "03a01Fa.wav", "03a01Ta.wav"),
        *("03a01La.wav", "03b01Ea.wav", "03b10Aa.wav", "09a02A.wav"),
        *("._03a01Wa.wav", ".DS_Store", "hello.wav", "03a01Xa.wav"),
    )
    listing = read(tmp_path)
    assert [u.label for u in listing.utterances] == [
        *("happy", "neutral", "sad", "angry")
    ]
    assert listing.excluded == {
        "emotion bored": 1,
        "emotion disgusted": 1,
        "emotion fearful": 2,
        "not an EmoDB file name": 2,
    }
    assert "hello.wav" in listing.report[-1]
    listing = read(tmp_path, emotions=("fearful", "bored"))
    assert listing.label_names == ("fearful", "bored")
    assert {u.id: u.label for u in listing.utterances} == {
        "03a01La": "bored",
        "03b10Aa": "fearful",
        "09a02A": "fearful",
    }
    every = ("neutral", "angry", "happy", "sad", "bored", "disgusted")
    assert len(read(tmp_path, emotions=every).utterances) == 6


@pytest.mark.parametrize(
    ("names", "settings", "words"),
    [
        ((), {}, r"03a01Fa\.wav"),
        (("notes.txt",), {}, r"03a01Fa\.wav"),
        (("17a01Wa.wav",), {}, "no speaker 17.*03, 08, 09"),
        (("03a01La.wav",), {}, "1 x emotion bored"),
        (("03a01Wa.wav",), {"emotions": ("glad",)}, "'glad'.*Known: neutral"),
        (("03a01Wa.wav",), {"emotions": ("sad", "sad")}, "twice"),
    ],
)
def test_what_cannot_be_read_is_explained(tmp_path, names, settings, words):
    folder = touch(tmp_path / "corpus", *names)
    with pytest.raises(UsageError, match=words):
        read(folder, **settings)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere does not exist.*03a01Fa"):
        read(tmp_path / "nowhere")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="file is not a folder"):
        read(file)
