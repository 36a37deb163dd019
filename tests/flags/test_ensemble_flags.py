"""Flags to an ensemble's configuration; what cannot be one is refused."""

from pathlib import Path

import pytest

from emotion_nas_tf.config import EnsembleConfig
from flags import ensemble_flags
from tfrecords_builder.errors import UsageError


@pytest.fixture
def config_of(parsed_flags):
    def config(*arguments):
        with parsed_flags(*arguments):
            return ensemble_flags.ensemble_config()

    return config


def test_every_flag(config_of):
    assert config_of(
        "--run_dirs=a,b/c", "--run_dir=d", "--systems=gru,cnn"
    ) == EnsembleConfig((Path("a"), Path("b/c")), Path("d"), ("gru", "cnn"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run_dir=d"], "at least two runs, each once.*Received: none"),
        (["--run_dirs=a", "--run_dir=d"], "at least two runs, each once"),
        (["--run_dirs=a,b/../a", "--run_dir=d"], "at least two runs, each"),
        (["--run_dirs=a,b"], "Where does the ensemble go"),
        (["--run_dirs=a,b", "--run_dir=./b"], "is one of --run_dirs"),
        (
            ["--run_dirs=a,b", "--run_dir=d", "--systems=fusion,fusion_mean"],
            r"fusion, fusion_mean joins .* emotion_nas_tf\.fuse",
        ),
        (
            ["--run_dirs=a,b", "--run_dir=d", "--systems=fusion,grru"],
            "fusion, grru is no system that several runs can have; known",
        ),
    ],
)
def test_what_is_no_ensemble_is_refused(config_of, arguments, message):
    with pytest.raises(UsageError, match=message):
        config_of(*arguments)
