"""Flags that several programs share: absl wants each defined once."""

from absl import flags

RECORDS_DIR = flags.DEFINE_string(
    "records_dir", "records", "The folder of records."
)
SEED = flags.DEFINE_integer(
    "seed", 0, "Seed of all that is random.", lower_bound=0
)
