"""The flag of the programs in which something is random."""

from absl import flags

SEED = flags.DEFINE_integer(
    "seed",
    0,
    "Seed of all that is random.",
    lower_bound=0,
    # NumPy's generators take no larger one.
    upper_bound=2**32 - 1,
)
