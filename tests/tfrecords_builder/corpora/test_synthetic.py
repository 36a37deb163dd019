import json
import re
import shutil
from collections import Counter

import numpy as np
import pytest
import soundfile

from tfrecords_builder.config import BuildConfig
from tfrecords_builder.corpora import CORPORA, synthetic_voices
from tfrecords_builder.errors import UsageError


def read(folder, **settings):
    settings = {"synthetic_utterances": 1, "num_workers": 1, **settings}
    config = BuildConfig("synthetic", folder, folder / "records", **settings)
    return CORPORA["synthetic"](config)


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic") / "corpus"
    return folder, read(folder)


def test_the_iemocap_reader_finds_every_speaker_and_emotion(corpus):
    _, listing = corpus
    assert listing.corpus == "synthetic"
    assert listing.label_names == ("neutral", "angry", "happy", "sad")
    counts = Counter(
        (u.session, u.speaker, u.label) for u in listing.utterances
    )
    assert len(counts) == 5 * 2 * 4
    assert set(counts.values()) == {1}
    # Turns that the four classes do not cover are counted, not lost.
    assert sum(listing.excluded.values()) == 5 * 2 * 4
    assert len(listing.report) == 1
    assert "10 speakers" in listing.report[0]


def test_utterances_are_16_khz_16_bit_mono_and_all_different(corpus):
    _, listing = corpus
    waveforms = []
    for utterance in listing.utterances:
        info = soundfile.info(utterance.path)
        assert (info.samplerate, info.channels) == (16_000, 1)
        assert info.subtype == "PCM_16"
        assert 1.5 <= info.duration <= 4.0
        waveforms.append(soundfile.read(utterance.path)[0])
        assert np.abs(waveforms[-1]).max() < 1.0
    assert len({each.tobytes() for each in waveforms}) == len(waveforms)


def test_a_file_is_what_its_utterance_alone_gives(corpus):
    _, listing = corpus
    chosen = next(
        each
        for each in listing.utterances
        if each.speaker == "Ses04M" and each.label == "happy"
    )
    expected = synthetic_voices.utterance(0, 4, "M", ("happy",), 0)
    found, _ = soundfile.read(chosen.path)
    np.testing.assert_allclose(found, expected, atol=1 / 32768)


def test_anger_is_louder_than_sadness(corpus):
    _, listing = corpus
    level = {"angry": [], "sad": []}
    for utterance in listing.utterances:
        if utterance.label in level:
            waveform, _ = soundfile.read(utterance.path)
            level[utterance.label].append(10 * np.log10(np.mean(waveform**2)))
    # 11.5 dB by the table of emotions; chance leaves about 1.5 dB of error.
    assert 6 < np.mean(level["angry"]) - np.mean(level["sad"]) < 17


def test_label_files_agree_with_their_raters(corpus):
    folder, _ = corpus
    codes = {
        "Neutral": "neu",
        "Anger": "ang",
        "Happiness": "hap",
        "Sadness": "sad",
        "Excited": "exc",
        "Frustration": "fru",
    }
    paths = sorted(folder.glob("Session?/dialog/EmoEvaluation/*.txt"))
    assert len(paths) == 5 * 2 * 4
    labels = Counter()
    for path in paths:
        header, *blocks = path.read_text().rstrip("\n").split("\n\n")
        assert header.startswith("% [START_TIME - END_TIME] TURN_NAME")
        for block in blocks:
            label, means = re.match(
                r"\[\d+\.\d{4} - \d+\.\d{4}\]\tSes\S+\t(\w{3})\t\[(.*)\]", block
            ).groups()
            labels[label] += 1
            ratings = re.findall(
                r"A-E\d:\tval (\d); act (\d); dom  (\d);\t\(\)", block
            )
            np.testing.assert_allclose(
                [float(mean) for mean in means.split(", ")],
                np.mean(np.array(ratings, float), axis=0),
            )
            said = re.findall(r"C-E\d:\t(\w+);\t\(\)", block)
            (most, votes), *_ = Counter(codes[s] for s in said).most_common()
            assert (most if 2 * votes > len(said) else "xxx") == label
    assert labels == {
        **dict.fromkeys(("neu", "ang", "hap", "sad"), 10),
        **{"xxx": 15, "exc": 15, "fru": 10},
    }


def test_an_interrupted_generation_is_completed(corpus, tmp_path):
    folder, listing = corpus
    whole = files(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    session = copy / "Session3"
    shutil.rmtree(session / "sentences" / "wav" / "Ses03F_impro02")
    (session / "dialog" / "EmoEvaluation" / "Ses03M_impro01.txt").unlink()
    kept = copy / listing.utterances[0].path.relative_to(folder)
    written = kept.stat().st_mtime_ns
    assert len(read(copy).utterances) == 40
    assert files(copy) == whole
    assert kept.stat().st_mtime_ns == written


@pytest.mark.parametrize("settings", [{"seed": 1}, {"synthetic_utterances": 2}])
def test_another_corpus_is_not_mixed_in(corpus, settings):
    folder, _ = corpus
    before = set(files(folder))
    with pytest.raises(UsageError, match="other settings") as raised:
        read(folder, **settings)
    assert "another --corpus_dir" in str(raised.value)
    assert set(files(folder)) == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"no synthetic\.json"):
        read(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="not a folder"):
        read(tmp_path / "thesis.txt")


def test_settings_that_cannot_be_read(tmp_path):
    (tmp_path / "synthetic.json").write_text(json.dumps({"seed": 0})[:-1])
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{"synthetic_utterances": 0}, {"synthetic_utterances": 1001}, {"seed": -1}],
)
def test_settings_out_of_range(tmp_path, settings):
    with pytest.raises(UsageError, match="Received"):
        read(tmp_path / "corpus", **settings)
    assert not (tmp_path / "corpus").exists()
