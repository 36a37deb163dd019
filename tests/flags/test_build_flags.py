"""Flags to a build's configuration."""

from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver

from flags import build_flags
from tfrecords_builder.config import BuildConfig, spectrogram_preset
from tfrecords_builder.corpora import CORPORA
from tfrecords_builder.errors import UsageError


def config_of(*arguments):
    with flagsaver.flagsaver():
        flags.FLAGS(["build", *arguments])
        return build_flags.build_config()


def test_defaults():
    assert config_of("--corpus=emodb", "--corpus_dir=wav") == BuildConfig(
        "emodb", Path("wav"), Path("records")
    )


def test_every_flag():
    assert config_of(
        "--corpus=iemocap",
        "--corpus_dir=a",
        "--records_dir=b",
        "--emotions=sad,happy",
        "--iemocap_scripts",
        "--merge_excited",
        "--strict",
        "--overwrite",
        "--num_workers=3",
        "--geometry=dft278",
        "--scale=magnitude",
        "--compression=gzip",
        "--utterances_per_shard=5",
        "--seed=7",
    ) == BuildConfig(
        corpus="iemocap",
        corpus_dir=Path("a"),
        records_dir=Path("b"),
        spectrogram=spectrogram_preset("dft278", "magnitude"),
        emotions=("sad", "happy"),
        iemocap_scripts=True,
        merge_excited=True,
        strict=True,
        overwrite=True,
        num_workers=3,
        utterances_per_shard=5,
        compression="gzip",
        seed=7,
    )


def test_the_generated_corpus_has_a_place():
    config = config_of("--corpus=synthetic", "--synthetic_utterances=9")
    assert config.corpus_dir == Path("corpora/synthetic")
    assert config.synthetic_utterances == 9


def test_other_corpora_must_be_somewhere():
    with pytest.raises(UsageError, match="--corpus_dir"):
        config_of("--corpus=emodb")


@pytest.mark.parametrize(
    ("corpus", "flag"),
    [
        ("manifest", "--iemocap_scripts"),
        ("emodb", "--merge_excited"),
        ("synthetic", "--iemocap_scripts"),
        ("iemocap", "--synthetic_utterances=3"),
    ],
)
def test_a_flag_of_another_corpus_is_refused(corpus, flag):
    with pytest.raises(UsageError, match=f"{flag.split('=')[0]} does nothing"):
        config_of(f"--corpus={corpus}", "--corpus_dir=a", flag)


def test_the_synthetic_corpus_can_count_excited_as_happy():
    assert config_of("--corpus=synthetic", "--merge_excited").merge_excited


def test_the_flag_knows_every_corpus():
    assert set(flags.FLAGS["corpus"].parser.enum_values) == set(CORPORA)
