"""CREMA-D in trees of our making."""

import pytest

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError


def read(folder, **settings):
    config = BuildConfig("cremad", folder, folder / "records", **settings)
    return CORPORA["cremad"](config)


def touch(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.wav").write_bytes(b"")
    return folder


def test_names_of_the_release(tmp_path):
    touch(
        tmp_path / "AudioWAV",
        *("1001_DFA_ANG_XX", "1001_IEO_HAP_LO", "1002_IEO_SAD_HI"),
        # The release's own slip; no clip of another actor looks like it.
        "1040_ITH_SAD_X",
        *("1091_WSI_NEU_XX", "1091_IEO_DIS_MD", "1091_TIE_FEA_XX"),
        *("1092_WSI_NEU_XX", "1001_ABC_ANG_XX", "1001_DFA_SUR_XX"),
        *("1001_DFA_ANG_ZZ", "1001_DFA_ANG", "._1001_DFA_ANG_XX", "hello"),
    )
    (tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.mp3").write_bytes(b"")
    listing = read(tmp_path)
    assert {u.id: (u.label, u.speaker) for u in listing.utterances} == {
        "1001_DFA_ANG_XX": ("angry", "1001"),
        "1001_IEO_HAP_LO": ("happy", "1001"),
        "1002_IEO_SAD_HI": ("sad", "1002"),
        "1040_ITH_SAD_X": ("sad", "1040"),
        "1091_WSI_NEU_XX": ("neutral", "1091"),
    }
    assert listing.excluded == {
        "emotion disgusted": 1,
        "emotion fearful": 1,
        "not a CREMA-D file name": 6,
    }
    # Pairs of the actors that are here, in order.
    sessions = {u.speaker: u.session for u in listing.utterances}
    assert sessions == {"1001": "1", "1002": "1", "1040": "2", "1091": "2"}
    report = "\n".join(listing.report)
    assert "4 of 91 actors" in report
    assert "angry 1 instead of 1271" in report
    assert "1001_DFA_ANG.wav" in report
    # Directly in the folder, and with the other emotions.
    listing = read(tmp_path / "AudioWAV", emotions=("disgusted", "fearful"))
    assert len(listing.utterances) == 2
    assert "alone in session 1" in listing.report[-2]


def test_what_cannot_be_read_is_explained(tmp_path):
    with pytest.raises(UsageError, match=r"does not exist.*1001_DFA_ANG_XX"):
        read(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="No CREMA-D file"):
        read(tmp_path)
    touch(tmp_path, "03a01Fa", "hello")
    with pytest.raises(UsageError, match="2 x not a CREMA-D file") as caught:
        read(tmp_path)
    assert "AudioWAV/1001_DFA_ANG_XX.wav" in str(caught.value)
    assert "--emotions" not in str(caught.value)
    touch(tmp_path, "1001_DFA_DIS_XX")
    with pytest.raises(
        UsageError, match=r"1 x emotion disgusted.* Choose other labels"
    ):
        read(tmp_path)


def test_a_clone_without_its_large_files(tmp_path):
    touch(tmp_path, "1001_DFA_ANG_XX")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    (tmp_path / "1001_DFA_ANG_XX.wav").write_bytes(pointer)
    with pytest.raises(UsageError, match="git lfs pull"):
        read(tmp_path)
