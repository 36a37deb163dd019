"""The flag of the programs that take cells from a file."""

from pathlib import Path

from absl import flags

_GENOTYPE = flags.DEFINE_string(
    "genotype",
    None,
    "A genotype file: its cells, in place of those that a search finds.",
)


def genotype_path() -> Path | None:
    """The genotype file, if one was named."""
    return Path(_GENOTYPE.value) if _GENOTYPE.value else None
