"""The two lists of packages agree."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [
        Requirement(line)
        for line in lines
        if line and not line.startswith(("#", "-r "))
    ]
    for each in found:
        assert [pin.operator for pin in each.specifier] == ["=="], str(each)
    return {
        canonicalize_name(each.name): next(iter(each.specifier)).version
        for each in found
    }


def test_every_dependency_is_pinned_within_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = pins("requirements.txt")
    for text in project["dependencies"]:
        dependency = Requirement(text)
        version = pinned[canonicalize_name(dependency.name)]
        assert dependency.specifier.contains(version), text


def test_development_adds_and_does_not_repeat():
    assert not pins("requirements-dev.txt").keys() & pins("requirements.txt")
