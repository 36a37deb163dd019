"""Flags of `emotion_nas_tf.report`."""

from pathlib import Path

from absl import flags

from emotion_nas_tf.config import REPORT_FORMATS, ReportConfig
from flags import common_flags, run_dir_flags
from tfrecords_builder.errors import UsageError

_TABLES = flags.DEFINE_bool(
    "tables",
    False,
    "Print Tables 1 to 4 of the paper with our numbers beside the paper's, "
    "from the runs that --run_dir names, if any.",
)
_FIGURES = flags.DEFINE_bool(
    "figures",
    False,
    "Draw Figures 3 and 4 of the cells that the run found, as SVG and PNG.",
)
_TENSORBOARD = flags.DEFINE_bool(
    "tensorboard",
    False,
    "Write what TensorBoard shows of the tests: settings beside results, "
    "confusion, PR curves, misheard clips, embeddings.",
)
_FORMAT = flags.DEFINE_enum(
    "format", "text", REPORT_FORMATS, "Of the tables of --tables."
)


def report_config() -> ReportConfig:
    """What the flags ask for: the page, when they name nothing else.

    Raises:
      UsageError: for several runs without --tables, or a format without them.
    """
    run_dirs = run_dir_flags.run_dirs()
    others = _FIGURES.value or _TENSORBOARD.value
    if len(run_dirs) > 1 and (others or not _TABLES.value):
        raise UsageError(
            "Only --tables takes several runs. Name one with --run_dir, and "
            "call the program once for each."
        )
    if flags.FLAGS[_FORMAT.name].present and not _TABLES.value:
        raise UsageError(
            "--format is of the tables: give --tables with it, or leave it out."
        )
    return ReportConfig(
        run_dir=run_dir_flags.run_dir(),
        records_dir=Path(common_flags.RECORDS_DIR.value),
        table_runs=tuple(run_dirs),
        page=not (_TABLES.value or others),
        tables=_TABLES.value,
        figures=_FIGURES.value,
        tensorboard=_TENSORBOARD.value,
        table_format=_FORMAT.value,
    )
