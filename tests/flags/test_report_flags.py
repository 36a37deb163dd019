"""Flags to what is reported."""

from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver

from emotion_nas_tf.config import ReportConfig
from flags import report_flags
from tfrecords_builder.errors import UsageError


def config_of(*arguments):
    # Other programs' flags, where another test has imported them.
    others = [
        f"--{name}=synthetic"
        for name in ("corpus", "audio_dir")
        if name in flags.FLAGS
    ]
    with flagsaver.flagsaver():
        flags.FLAGS(["report", *others, *arguments])
        return report_flags.report_config()


def test_the_page_by_default():
    assert config_of() == ReportConfig(Path("runs/default"), Path("records"))
    asked = config_of("--run_dir=a", "--figures")
    assert (asked.run_dir, asked.figures, asked.page) == (
        Path("a"),
        True,
        False,
    )


def test_tables_of_several_runs():
    config = config_of("--tables", "--run_dir=a", "--run_dir=b", "--run_dir=a")
    assert config.table_runs == (Path("a"), Path("b"))
    assert config_of("--tables").table_runs == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run_dir=a", "--run_dir=b"], "Only --tables takes several runs"),
        (
            ["--tables", "--figures", "--run_dir=a", "--run_dir=b"],
            "Only --tables takes several runs",
        ),
        (["--format=markdown"], "--format is of the tables"),
    ],
)
def test_refuses_what_would_do_nothing(arguments, message):
    with pytest.raises(UsageError, match=message):
        config_of(*arguments)
