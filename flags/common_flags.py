"""The flag of every program that reads records."""

from absl import flags

RECORDS_DIR = flags.DEFINE_string(
    "records_dir", "records", "The folder of records."
)
