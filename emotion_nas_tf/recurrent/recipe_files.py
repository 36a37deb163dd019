"""Recipes on disk: our own files, and those of NAS-Bench-NLP as they are.

Read are

- our own: {"schema_version": 1, "recipe": {node: {"op", "input"}, ...}};
- a bare recipe, {node: {"op", "input"}, ...};
- a list of recipes, as in the benchmark's `data/recepies_example.json`;
- a training log of the benchmark, whose key `recepie` holds a recipe's text;
- a folder or a ZIP file of any of these, such as the benchmark's `logs.zip`.

Never evaluated as code. Pure Python: no TensorFlow.
"""

import json
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from emotion_nas_tf.recurrent.recipe import Recipe
from tfrecords_builder.errors import UsageError
from tfrecords_builder.files import replacing

SCHEMA_VERSION = 1

# The cells that every search is compared with, and one of the size of the
# paper's Table 4.
BUILT_IN = ("lstm", "gru", "rnn", "table4")

_VERSION_KEY = "schema_version"
# Ours, and the benchmark's spelling.
_RECIPE_KEYS = ("recipe", "recepie")


def recipe_text(recipe: Recipe) -> str:
    """The text of a recipe file, a node a line."""
    nodes = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(fields)}"
        for name, fields in recipe.to_mapping().items()
    )
    return (
        f'{{\n  "{_VERSION_KEY}": {SCHEMA_VERSION},\n'
        f'  "recipe": {{\n{nodes}\n  }}\n}}\n'
    )


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Writes a recipe file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(recipe_text(recipe), encoding="utf-8")


def built_in(name: str) -> Recipe:
    """One of the recipes that come with the program.

    Args:
      name: from `BUILT_IN`.
    """
    file = resources.files("emotion_nas_tf.recurrent") / "recipes"
    text = (file / f"{name}.json").read_text(encoding="utf-8")
    return _recipes(json.loads(text), name)[0]


def load_recipe(path: str | Path) -> Recipe:
    """The one recipe of a file, or a built-in one by its bare name.

    Raises:
      UsageError: as `load_recipes`, and when there are several.
    """
    if str(path) in BUILT_IN and not Path(path).exists():
        return built_in(str(path))
    recipes = load_recipes(path)
    if len(recipes) > 1:
        raise UsageError(
            f"{path} holds {len(recipes)} recipes; expected one. Copy the one "
            "you mean to a file of its own."
        )
    return recipes[0]


def load_recipes(path: str | Path) -> list[Recipe]:
    """Every recipe of a file or folder, in order, copies included.

    Raises:
      UsageError: no such file, no recipe in it, not JSON, a newer schema, or
        a recipe that `Recipe` refuses.
    """
    path = Path(path)
    recipes = []
    for name, content in _contents(path):
        recipes += _recipes(_parsed(content, name), name)
    if not recipes:
        raise UsageError(
            f"There is no recipe in {path}: expected .json files."
            if path.is_dir() or zipfile.is_zipfile(path)
            else f"There is no recipe in {path}: the list is empty."
        )
    return recipes


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yields (name for messages, bytes) of each JSON file."""
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield str(file), file.read_bytes()
    elif not path.is_file():
        raise UsageError(
            f"There is no recipe file {path}. Built-in recipes are "
            f"{', '.join(BUILT_IN)}."
        )
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith(".json"):
                        yield f"{path}/{name}", archive.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise UsageError(
                f"{path} cannot be unpacked ({error}). Download it again."
            ) from None
    else:
        yield str(path), path.read_bytes()


def _parsed(content: bytes, name: str) -> Any:
    try:
        return json.loads(content, object_pairs_hook=_unique_keys)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{name} is not a recipe: it is not JSON ({error})."
        ) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UsageError(f"the key {twice!r} is there twice.")
    return fields


def _recipes(value: Any, name: str) -> list[Recipe]:
    if isinstance(value, list):
        recipes = []
        for index, each in enumerate(value):
            recipes += _recipes(each, f"{name}, recipe {index} of the list")
        return recipes
    if isinstance(value, dict):
        # The version first: a newer schema may have other keys.
        version = value.get(_VERSION_KEY, SCHEMA_VERSION)
        # A bare recipe may call a node so.
        if version != SCHEMA_VERSION and not isinstance(version, dict):
            raise UsageError(
                f"{name} has schema version {version!r}; this program reads "
                f"version {SCHEMA_VERSION}. Use the release that wrote it."
            )
        for key in _RECIPE_KEYS:
            inner = value.get(key)
            if isinstance(inner, str):
                inner = _parsed(inner.encode(), f"{name}, {key}")
            # A node of a bare recipe may be called `recipe`.
            if isinstance(inner, dict) and "op" not in inner:
                value = inner
                break
    try:
        return [Recipe.from_mapping(value)]
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
