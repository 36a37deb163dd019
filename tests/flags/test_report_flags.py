"""Flags to what is reported."""

from pathlib import Path

import pytest

from emotion_nas_tf.config import ReportConfig
from flags import report_flags
from tfrecords_builder.errors import UsageError


@pytest.fixture
def config_of(parsed_flags):
    def config(*arguments):
        with parsed_flags(*arguments):
            return report_flags.report_config()

    return config


def test_the_page_by_default(config_of):
    assert config_of() == ReportConfig(Path("runs/default"), Path("records"))
    asked = config_of("--run_dir=a", "--figures")
    assert (asked.run_dir, asked.figures, asked.page) == (
        Path("a"),
        True,
        False,
    )


def test_tables_of_several_runs(config_of):
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
def test_refuses_what_would_do_nothing(config_of, arguments, message):
    with pytest.raises(UsageError, match=message):
        config_of(*arguments)
