"""The flag that names a recurrent cell."""

from pathlib import Path

from absl import flags

_RECIPE = flags.DEFINE_string(
    "recipe",
    None,
    "A file with one recipe, or lstm, gru, rnn or table4: the recurrent cell.",
)


def recipe_path() -> Path | None:
    """The recipe file, or the name of a built-in one, if one was named."""
    return Path(_RECIPE.value) if _RECIPE.value else None
