"""Flags to an ensemble's configuration; what cannot be one is refused."""

from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver

from emotion_nas_tf.config import EnsembleConfig
from flags import ensemble_flags
from tfrecords_builder.errors import UsageError


def config_of(*arguments):
    # Other programs' flags, where another test has imported them.
    others = [
        f"--{name}=synthetic"
        for name in ("corpus", "audio_dir")
        if name in flags.FLAGS
    ]
    with flagsaver.flagsaver():
        flags.FLAGS(["ensemble", *others, *arguments])
        return ensemble_flags.ensemble_config()


def test_every_flag():
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
def test_what_is_no_ensemble_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        config_of(*arguments)
