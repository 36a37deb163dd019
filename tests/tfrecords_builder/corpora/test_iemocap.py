import shutil

import numpy as np
import pytest
import soundfile

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError
from tfrecords_builder.utterance import PAPER_EMOTIONS

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X\xb0\xff"


def block(turn, code, raters=3):
    """One turn as the corpus writes it, with as many raters as asked for."""
    lines = [f"[4.1200 - 7.8450]\t{turn}\t{code}\t[3.0000, 2.5000, 2.5000]"]
    lines += [f"C-E{n}:\tNeutral; Sadness;\t()" for n in range(1, raters + 1)]
    lines.append("C-F1:\tAnger;\t(loud; [angry] - first)")
    lines.append("A-E1:\tval 3; act 3; dom ;\t()")
    lines += [
        f"A-E{n}:\tval 3; act 2; dom  2;\t()" for n in range(2, raters + 1)
    ]
    return "\n".join(lines) + "\n\n"


def write_wav(release, turn):
    folder = release / f"Session{turn[4]}" / "sentences" / "wav"
    path = folder / turn.rsplit("_", 1)[0] / f"{turn}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(800, 0.1), 16_000)
    return path


def write_dialog(release, dialog, turns, audio=True):
    """turns: (speaker letter and number, code), raters vary along them."""
    labels = release / f"Session{dialog[4]}" / "dialog" / "EmoEvaluation"
    labels.mkdir(parents=True, exist_ok=True)
    text = HEADER + "".join(
        block(f"{dialog}_{turn}", code, raters=2 + number % 3)
        for number, (turn, code) in enumerate(turns)
    )
    path = labels / f"{dialog}.txt"
    path.write_text(text)
    if audio:
        for turn, _ in turns:
            write_wav(release, f"{dialog}_{turn}")
    return path


@pytest.fixture
def release(tmp_path):
    """A small corpus with everything that breaks parsers."""
    release = tmp_path / "IEMOCAP_full_release"
    improvised = write_dialog(
        release,
        "Ses01F_impro01",
        [
            ("F000", "neu"),
            # He speaks, she wears the markers.
            ("M000", "ang"),
            ("F001", "exc"),
            ("M001", "xxx"),
            ("M002", "hap"),
            ("F002", "fru"),
        ],
    )
    write_dialog(
        release,
        "Ses01M_script01_1",
        [("F000", "sad"), ("M000", "neu"), ("M001", "exc"), ("F001", "xxx")],
    )
    write_dialog(release, "Ses03M_impro05a", [("F000", "sad"), ("M000", "sad")])
    write_dialog(release, "Ses05M_script01_1b", [("F003", "ang")])
    # Sub-folders hold single raters' opinions, partly in the same form.
    for name in ("Attribute", "Categorical", "Self-evaluation"):
        folder = improvised.parent / name
        folder.mkdir()
        shutil.copy(improvised, folder / "Ses01F_impro01_e1_cat.txt")
    for folder, name in (
        (improvised.parent, "._Ses01F_impro01.txt"),
        (improvised.parent, ".DS_Store"),
        (
            release / "Session1/sentences/wav/Ses01F_impro01",
            "._Ses01F_impro01_F000.wav",
        ),
        (release / "Session1/sentences/wav", "._Ses01F_impro01"),
    ):
        (folder / name).write_bytes(APPLE_DOUBLE)
    return release


def read(folder, **settings):
    config = BuildConfig("iemocap", folder, folder / "records", **settings)
    return CORPORA["iemocap"](config)


def listed(listing):
    return {u.id: (u.label, u.speaker, u.session) for u in listing.utterances}


PAPER_TURNS = {
    "Ses01F_impro01_F000": ("neutral", "Ses01F", "Ses01"),
    "Ses01F_impro01_M000": ("angry", "Ses01M", "Ses01"),
    "Ses01F_impro01_M002": ("happy", "Ses01M", "Ses01"),
    "Ses03M_impro05a_F000": ("sad", "Ses03F", "Ses03"),
    "Ses03M_impro05a_M000": ("sad", "Ses03M", "Ses03"),
}


def test_the_papers_setting(release):
    listing = read(release)
    assert listed(listing) == PAPER_TURNS
    assert listing.label_names == PAPER_EMOTIONS
    assert listing.excluded == {
        "emotion excited": 1,
        "emotion frustrated": 1,
        "no majority label (xxx)": 1,
        "scripted dialog": 5,
    }
    for utterance in listing.utterances:
        assert utterance.path.is_file()
        assert utterance.path.stem == utterance.id
    assert listing.report[-1] == (
        "Missing: Session2, Session4 (no folder dialog/EmoEvaluation)."
    )


def test_scripted_dialogs_on_request(release):
    listing = read(release, iemocap_scripts=True)
    assert listed(listing) == PAPER_TURNS | {
        "Ses01M_script01_1_F000": ("sad", "Ses01F", "Ses01"),
        "Ses01M_script01_1_M000": ("neutral", "Ses01M", "Ses01"),
        "Ses05M_script01_1b_F003": ("angry", "Ses05F", "Ses05"),
    }
    assert listing.excluded["emotion excited"] == 2


def test_excited_counts_as_happy_on_request(release):
    listing = read(release, merge_excited=True)
    excited = {"Ses01F_impro01_F001": ("happy", "Ses01F", "Ses01")}
    assert listed(listing) == PAPER_TURNS | excited
    assert "emotion excited" not in listing.excluded


def test_other_emotions_on_request(release):
    listing = read(release, emotions=("frustrated", "excited", "sad"))
    assert listing.label_names == ("frustrated", "excited", "sad")
    assert [u.label for u in listing.utterances] == [
        *("excited", "frustrated", "sad", "sad")
    ]
    with pytest.raises(UsageError, match="--merge_excited"):
        read(release, emotions=("excited", "happy"), merge_excited=True)
    with pytest.raises(UsageError, match=r"'joy'.*Known: neutral, angry"):
        read(release, emotions=("joy",))


def test_the_folder_above_is_accepted(release):
    assert read(release.parent) == read(release)
    copy = release.parent / "copy"
    shutil.copytree(release, copy)
    with pytest.raises(UsageError, match="IEMOCAP_full_release, copy"):
        read(release.parent)


def test_missing_audio_and_unlabelled_audio_are_counted(release):
    write_wav(release, "Ses01F_impro01_F017")
    missing = write_wav(release, "Ses01F_impro01_M000")
    missing.unlink()
    listing = read(release)
    assert "Ses01F_impro01_M000" not in listed(listing)
    assert listing.excluded["no audio file"] == 1
    report = "\n".join(listing.report)
    assert "no audio file: 1 (Ses01F_impro01_M000)" in report
    assert "Audio without a label: 1 (Ses01F_impro01_F017)" in report


def test_other_line_ends_and_bytes(release):
    expected = read(release)
    path = release / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    text = path.read_text().replace("\n", "\r\n").encode()
    path.write_bytes(text.replace(b"loud", b"caf\xe9 \x85"))
    assert read(release) == expected


def test_lines_and_names_of_another_form_are_counted(release):
    path = release / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    with path.open("a") as file:
        file.write("[broken line\n")
        file.write(block("Ses01F_impro01_FXX0", "neu"))
        file.write(block("Ses01F_impro01_F009", "joy"))
        file.write(block("Ses01F_impro01_F000", "sad"))
    listing = read(release)
    assert listed(listing) == PAPER_TURNS
    assert listing.excluded["line not understood"] == 1
    assert listing.excluded["turn name not understood"] == 1
    assert listing.excluded["unknown label joy"] == 1
    assert listing.excluded["turn labelled again"] == 1
    # 13 turns in the fixture and 4 lines here: nothing vanishes.
    assert sum(listing.excluded.values()) + len(PAPER_TURNS) == 13 + 4


def test_a_published_example_of_the_format(shared_dir, tmp_path):
    source = shared_dir / "data" / "iemocap_example" / "Ses02M_impro03.txt"
    labels = tmp_path / "Session2" / "dialog" / "EmoEvaluation"
    labels.mkdir(parents=True)
    shutil.copy(source, labels)
    for turn in ("M000", "F000", "M001", "F001", "M002"):
        write_wav(tmp_path, f"Ses02M_impro03_{turn}")
    listing = read(tmp_path)
    assert listed(listing) == {
        "Ses02M_impro03_F000": ("sad", "Ses02F", "Ses02"),
        "Ses02M_impro03_M000": ("neutral", "Ses02M", "Ses02"),
        "Ses02M_impro03_M002": ("angry", "Ses02M", "Ses02"),
    }
    assert listing.excluded == {
        "emotion excited": 1,
        "no majority label (xxx)": 1,
    }


def test_no_corpus_there(tmp_path):
    expected = r"Session1/dialog/EmoEvaluation/Ses01F_impro01\.txt"
    with pytest.raises(UsageError, match=f"nowhere does not.*{expected}"):
        read(tmp_path / "nowhere")
    (tmp_path / "Session1").mkdir()
    with pytest.raises(UsageError, match=f"No IEMOCAP session.*{expected}"):
        read(tmp_path)
    write_dialog(tmp_path, "Ses01F_impro01", [("F000", "neu")], audio=False)
    with pytest.raises(UsageError, match="1 x no audio file"):
        read(tmp_path)
