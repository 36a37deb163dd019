"""The house keeps its floors: who may import whom, read from the sources.

    programs
    serving, reporting, evaluation
    training
    visualization
    recurrent, networks, search_space, data
    tfrecords_builder

A module imports from its own floor and from those below. `flags` imports the
`config` modules alone, and only programs import `flags`.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tfrecords_builder", "emotion_nas_tf", "flags")
HEAVY = ("tensorflow", "keras", "tensorflow_io", "tensorboard")

FLOORS = {
    "tfrecords_builder": 0,
    # What every floor of emotion_nas_tf needs; config is what flags fill.
    "emotion_nas_tf": 1,
    "emotion_nas_tf.config": 1,
    "emotion_nas_tf.run_directory": 1,
    "emotion_nas_tf.systems": 1,
    "emotion_nas_tf.worker_processes": 1,
    "emotion_nas_tf.data": 2,
    "emotion_nas_tf.search_space": 2,
    "emotion_nas_tf.networks": 2,
    "emotion_nas_tf.recurrent": 2,
    "emotion_nas_tf.visualization": 3,
    "emotion_nas_tf.training": 4,
    "emotion_nas_tf.evaluation": 5,
    "emotion_nas_tf.reporting": 5,
    "emotion_nas_tf.serving": 5,
}
PROGRAMS_FLOOR = 6

# Start without TensorFlow, with all that they import. Programs do too, so
# that --help and a wrong flag answer at once.
PURE = (
    "flags",
    "tfrecords_builder.config",
    "tfrecords_builder.corpora",
    "tfrecords_builder.durations",
    "tfrecords_builder.errors",
    "tfrecords_builder.audio",
    "tfrecords_builder.history",
    "tfrecords_builder.program",
    "tfrecords_builder.records",
    "tfrecords_builder.sessions",
    "tfrecords_builder.utterance",
    "emotion_nas_tf.config",
    "emotion_nas_tf.run_directory",
    "emotion_nas_tf.systems",
    "emotion_nas_tf.worker_processes",
    "emotion_nas_tf.data.folds",
    "emotion_nas_tf.evaluation.confusions",
    "emotion_nas_tf.evaluation.cross_validation",
    "emotion_nas_tf.evaluation.step_clock",
    "emotion_nas_tf.evaluation.verdicts",
    "emotion_nas_tf.recurrent.candidates",
    "emotion_nas_tf.recurrent.canonical",
    "emotion_nas_tf.recurrent.generator",
    "emotion_nas_tf.recurrent.halving",
    "emotion_nas_tf.recurrent.ledger",
    "emotion_nas_tf.recurrent.mutation",
    "emotion_nas_tf.recurrent.names",
    "emotion_nas_tf.recurrent.nodes",
    "emotion_nas_tf.recurrent.parallel",
    "emotion_nas_tf.recurrent.parameters",
    "emotion_nas_tf.recurrent.plan",
    "emotion_nas_tf.recurrent.pool",
    "emotion_nas_tf.recurrent.progress",
    "emotion_nas_tf.recurrent.recipe",
    "emotion_nas_tf.recurrent.recipe_files",
    "emotion_nas_tf.recurrent.recipe_rules",
    "emotion_nas_tf.recurrent.trial",
    "emotion_nas_tf.networks.baselines.info",
    "emotion_nas_tf.networks.baselines.linear",
    "emotion_nas_tf.networks.info_file",
    "emotion_nas_tf.networks.memory",
    "emotion_nas_tf.networks.parameters",
    "emotion_nas_tf.search_space.edges",
    "emotion_nas_tf.search_space.genotype",
    "emotion_nas_tf.search_space.plan",
    "emotion_nas_tf.serving.model_folder",
    "emotion_nas_tf.serving.model_versions",
    "emotion_nas_tf.serving.prediction_table",
    "emotion_nas_tf.serving.progress",
    "emotion_nas_tf.serving.recordings",
    "emotion_nas_tf.serving.selection",
    "emotion_nas_tf.training.metrics",
)


@dataclass(frozen=True)
class Import:
    """One import: what, where, and whether it runs with the module."""

    name: str
    line: int
    at_import: bool


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_program(self) -> bool:
        package, *rest = self.name.split(".")
        if package == "emotion_nas_tf":
            return len(rest) == 1 and self.name not in FLOORS
        return self.name in (
            "tfrecords_builder.build",
            "tfrecords_builder.pretrain_wav2vec",
        )

    @property
    def floor(self) -> int:
        return PROGRAMS_FLOOR if self.is_program else floor(self.name)

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


def floor(name: str) -> int:
    while name not in FLOORS:
        if "." not in name:
            raise KeyError(name)
        parent = name.rpartition(".")[0]
        if parent == "emotion_nas_tf":
            return PROGRAMS_FLOOR
        name = parent
    return FLOORS[name]


def load(root: Path) -> dict[str, Module]:
    modules = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            name = ".".join(parts)
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            modules[name] = Module(name, path, tree)
    return modules


def imports(tree: ast.AST, modules: dict[str, Module]) -> list[Import]:
    """Every import; `from package import module` counts as the module."""
    found = []

    def visit(node: ast.AST, at_import: bool):
        for child in ast.iter_child_nodes(node):
            names = []
            if isinstance(child, ast.Import):
                names = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute here"
                names = [
                    full
                    if (full := f"{child.module}.{alias.name}") in modules
                    else child.module
                    for alias in child.names
                ]
            found.extend(
                Import(name, child.lineno, at_import)
                for name in dict.fromkeys(names)
            )
            inside = isinstance(
                child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
            )
            visit(child, at_import and not inside)

    visit(tree, at_import=True)
    return found


def within(name: str, packages) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    return load(ROOT)


def report(violations: list[str]):
    assert not violations, "\n" + "\n".join(violations)


def test_no_module_imports_from_a_floor_above(modules):
    report(
        [
            f"{module.at(each.line)}: {module.name} (floor {module.floor}) "
            f"imports {each.name} (floor {floor(each.name)})"
            for module in modules.values()
            if not within(module.name, ["flags"])
            for each in imports(module.tree, modules)
            if within(each.name, ["tfrecords_builder", "emotion_nas_tf"])
            and floor(each.name) > module.floor
        ]
    )


def test_flags_import_configurations_alone(modules):
    allowed = (
        "absl",
        "flags",
        "tfrecords_builder.config",
        "tfrecords_builder.errors",
        "emotion_nas_tf.config",
        "emotion_nas_tf.systems",
        *sys.stdlib_module_names,
    )
    report(
        [
            f"{module.at(each.line)}: flags may not import {each.name}"
            for module in modules.values()
            if within(module.name, ["flags"])
            for each in imports(module.tree, modules)
            if not within(each.name, allowed)
        ]
    )


def test_only_programs_import_flags(modules):
    report(
        [
            f"{module.at(each.line)}: {module.name} is no program and "
            f"imports {each.name}"
            for module in modules.values()
            if not module.is_program and not within(module.name, ["flags"])
            for each in imports(module.tree, modules)
            if within(each.name, ["flags"])
        ]
    )


def test_flags_are_defined_in_flags_alone(modules):
    report(
        [
            f"{module.at(node.lineno)}: {node.attr} outside flags/"
            for module in modules.values()
            if not within(module.name, ["flags"])
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("DEFINE_")
        ]
    )


def test_pure_modules_and_programs_start_without_tensorflow(modules):
    violations = []
    for start in modules.values():
        if not (start.is_program or within(start.name, PURE)):
            continue
        seen, waiting = {start.name}, [(start, (start.name,))]
        while waiting:
            module, way = waiting.pop()
            for each in imports(module.tree, modules):
                if not each.at_import:
                    continue
                if within(each.name, HEAVY):
                    violations.append(
                        f"{module.at(each.line)}: {each.name}, by way of "
                        + " -> ".join(way)
                    )
                # Importing a.b.c runs a, a.b and a.b.c.
                parts = each.name.split(".")
                for length in range(1, len(parts) + 1):
                    name = ".".join(parts[:length])
                    if name in modules and name not in seen:
                        seen.add(name)
                        waiting.append((modules[name], (*way, name)))
    report(violations)


def test_pure_modules_exist(modules):
    assert not set(PURE) - set(modules)


def test_the_checks_see_a_violation(modules):
    tree = ast.parse(
        "from tfrecords_builder import records\n"
        "import os, keras.layers\n"
        "def main():\n"
        "    from emotion_nas_tf.training.metrics import recalls\n"
    )
    assert imports(tree, modules) == [
        Import("tfrecords_builder.records", 1, True),
        Import("os", 2, True),
        Import("keras.layers", 2, True),
        Import("emotion_nas_tf.training.metrics", 4, False),
    ]
    assert floor("emotion_nas_tf.training.metrics") == 4
    assert floor("tfrecords_builder.features.spectrogram") == 0
    assert floor("emotion_nas_tf.search") == PROGRAMS_FLOOR
    assert within("keras.layers", HEAVY)
    assert not within("kerasy", HEAVY)
