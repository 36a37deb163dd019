"""What was done for a test, from the settings noted in its folders.

    spectrogram/config.json             search
    spectrogram/retrained/config.json   train
    fusion/fusion/network.json          fuse
    metrics.json                        evaluate

Pure Python.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    SearchConfig,
    as_json,
)
from emotion_nas_tf.recurrent.candidates import candidates_digest
from emotion_nas_tf.recurrent.pool import first_candidates
from emotion_nas_tf.reporting.noted_flags import NotedFlags, noted_flags
from emotion_nas_tf.reporting.reading import noted_settings, read_values
from emotion_nas_tf.run_directory import (
    GENOTYPE_NAME,
    RECIPE_NAME,
    FoldDirectory,
)
from emotion_nas_tf.systems import (
    COMPARATORS,
    FUSION,
    RECURRENT,
    SPECTROGRAM,
    SYSTEMS,
    systems_of,
)

SEARCH, TRAIN = "emotion_nas_tf.search", "emotion_nas_tf.train"
FUSE, EVALUATE = "emotion_nas_tf.fuse", "emotion_nas_tf.evaluate"
PROGRAMS = (SEARCH, TRAIN, FUSE, EVALUATE)
# Beside settings: what was worked on, and what was found.
_NO_SETTINGS = (
    "program",
    "command",
    "records",
    "features",
    "features_fingerprint",
    "test_speaker",
    "genotype",
    "recipe",
    "width",
    "costs",
    "candidates_sha256",
)
# Systems that fit into the command of another one.
_ALONG = {"inherited": "retrained", "majority": "cnn", "opensmile_svm": "cnn"}
# Files of cells by their content: tests may have had the same.
Cells = dict[str, Path]


@dataclass(frozen=True)
class Work:
    """What one call of a program did for a test.

    Attributes:
      program: as `python -m` has it.
      stream: of `systems`; empty where it is of all.
      title: of what was made, for people.
      flags: its settings, and which stream or systems it was.
    """

    program: str
    stream: str
    title: str
    flags: NotedFlags


def works_of(test: FoldDirectory, cells: Cells) -> Iterator[Work]:
    """All that was done for a test and was noted, in order.

    Args:
      test: its folder.
      cells: of the tests before; those of this one are added.
    """
    searched = noted_settings(test.spectrogram)
    if searched:
        yield Work(
            SEARCH,
            SPECTROGRAM,
            f"the search of the stream {SPECTROGRAM}",
            NotedFlags((f"--streams={SPECTROGRAM}",))
            + noted_flags(NetworkConfig(), searched)
            + noted_flags(SearchConfig(), searched)
            + _unknown(searched, NetworkConfig(), SearchConfig()),
        )
    if noted := noted_settings(test.recurrent):
        yield Work(
            SEARCH,
            RECURRENT,
            f"the search of the stream {RECURRENT}",
            NotedFlags((f"--streams={RECURRENT}",)) + _of_candidates(noted),
        )
    of_systems: dict[tuple[str, NotedFlags], list[str]] = {}
    for name, flags in _of_trainings(test, searched, cells).items():
        key = SYSTEMS[name].stream, flags
        of_systems.setdefault(key, []).append(name)
    for (stream, flags), names in of_systems.items():
        systems = NotedFlags((f"--systems={','.join(names)}",))
        yield Work(TRAIN, stream, ", ".join(names), systems + flags)
    if flags := _of_fusion(test):
        yield Work(FUSE, "", "the fusion", flags)
    if flags := _of_evaluation(test):
        yield Work(EVALUATE, "", "the evaluation", flags)


def _of_candidates(noted: Mapping) -> NotedFlags:
    training = RecurrentTrainConfig()
    flags = (
        _of_recurrent_size(noted)
        # Rungs have epochs of their own.
        + noted_flags(training, noted, decided=("epochs",))
        + noted_flags(CandidateSearchConfig(), noted, "candidates_")
        + _unknown(
            {k: v for k, v in noted.items() if not k.startswith("candidates_")},
            RecurrentConfig(),
            training,
        )
    )
    hindrances = []
    if noted.get("seed") != noted.get("candidates_seed"):
        hindrances.append("training and candidates have seeds of their own")
    elif not flags.hindrances:
        settings = {
            field: noted.get(f"candidates_{field}", value)
            for field, value in as_json(CandidateSearchConfig()).items()
        }
        config = dataclasses.replace(CandidateSearchConfig(), **settings)
        digest = candidates_digest(first_candidates(config))
        if digest != noted.get("candidates_sha256"):
            hindrances.append(
                "its candidates were of --recipe_files that are not noted, or "
                "of an earlier release"
            )
    return flags + NotedFlags(hindrances=tuple(hindrances))


def _of_recurrent_size(noted: Mapping) -> NotedFlags:
    features = str(noted.get("features", "")).split(" ")[0]
    # As without the flag: the features decide.
    defaults = RecurrentConfig(standardize=features == "logmel")
    return noted_flags(defaults, noted, decided=("input_size",))


def _of_trainings(
    test: FoldDirectory, searched: Mapping, cells: Cells
) -> dict[str, NotedFlags]:
    """The flags with which `train` made each system."""
    noted = {
        name: settings
        for name, system in SYSTEMS.items()
        if system.program == TRAIN
        for settings in [noted_settings(test.system(name))]
        if settings
    }
    found = {
        name: _of_training(test, name, settings, searched)
        + _other_cell(test, name, settings, cells)
        for name, settings in noted.items()
    }
    # What has few settings or none goes with what it may have been made with.
    for name, other in _ALONG.items():
        if name in found and other in found:
            flags = found[other]
            agrees = set(found[name].words) <= set(flags.words) and all(
                noted[other].get(key) == value
                for key, value in noted[name].items()
                if key not in _NO_SETTINGS
            )
            has_its_size = name != "inherited" or all(
                noted[other].get(key) == searched.get(key)
                for key in as_json(NetworkConfig())
            )
            if agrees and has_its_size and not flags.hindrances:
                found[name] = flags
    return found


def _of_training(
    test: FoldDirectory, system: str, noted: Mapping, searched: Mapping
) -> NotedFlags:
    """The flags with which `train` made a system."""
    stream = SYSTEMS[system].stream
    if stream == RECURRENT:
        training = RecurrentTrainConfig()
        return (
            _of_recurrent_size(noted)
            + noted_flags(training, noted)
            + _unknown(noted, RecurrentConfig(), training)
        )
    if stream == COMPARATORS and system != "cnn":
        return NotedFlags()
    network, training = NetworkConfig(), DerivedTrainConfig()
    size = noted
    if system in ("inherited", "cnn"):
        # Neither notes the size of the networks that it is of.
        size = (
            searched
            or noted_settings(test.system("retrained"))
            or noted_settings(test.system("random_cell"))
        )
    flags = noted_flags(network, size)
    if not size:
        flags = NotedFlags(
            hindrances=("the size of the spectrogram networks is not noted",)
        )
    unsaid = ()
    if system == "inherited":
        # What its statistics are measured with.
        unsaid = as_json(training).keys() - {"batch_size", "seed"}
    return (
        flags
        + noted_flags(training, noted, decided=unsaid)
        + _unknown(noted, network, training)
    )


def _other_cell(
    test: FoldDirectory, system: str, noted: Mapping, cells: Cells
) -> NotedFlags:
    """The flag that names another cell than the search's, if it was one."""
    if system == "recipe":
        kind, found = "recipe", read_values(test.recipe).get("recipe", {})
        wanted, own = noted.get("recipe"), test.system(system) / RECIPE_NAME
        is_found = found == wanted
    elif system in ("retrained", "random_cell"):
        kind, found = "genotype", read_values(test.genotype)
        found.pop("schema_version", None)
        wanted = noted.get("genotype", {})
        own = test.system("retrained") / GENOTYPE_NAME
        is_found = found == wanted
        if system == "random_cell":
            # Drawn; only its kind is the other's.
            kinds = [c.get("all_edges", False) for c in (found, wanted)]
            is_found = kinds[0] == kinds[1]
    else:
        return NotedFlags()
    if is_found:
        return NotedFlags()
    if not own.is_file():
        return NotedFlags(hindrances=(f"{own} is not there",))
    content = own.read_text(encoding="utf-8")
    return NotedFlags((f"--{kind}={cells.setdefault(content, own)}",))


def _of_fusion(test: FoldDirectory) -> NotedFlags | None:
    """The flags with which `fuse` made a test's fusions; None without any."""
    for name in systems_of(FUSION):
        info = read_values(test.info(name))
        if info.get("settings"):
            # A perceptron of one stream has it in every place.
            fused = [*dict.fromkeys(info["fused"])]
            noted = {**info["settings"], "fused": fused}
            return dataclasses.replace(
                noted_flags(FusionConfig(), noted), lacking=()
            )
    return None


def _of_evaluation(test: FoldDirectory) -> NotedFlags | None:
    """The flags with which `evaluate` tests the same; None if it did not."""
    evaluated = read_values(test.metrics).get("systems", {})
    there = [name for name in SYSTEMS if test.info(name).is_file()]
    named = [name for name in there if name in evaluated]
    if not named:
        return None
    if named == there:
        return NotedFlags()
    return NotedFlags((f"--systems={','.join(named)}",))


def _unknown(noted: Mapping, *configs: object) -> NotedFlags:
    """What is noted that no configuration has any more."""
    known = {name for config in configs for name in as_json(config)}
    return NotedFlags(
        hindrances=tuple(
            f"{name} is {value}"
            for name, value in noted.items()
            if name not in known and name not in _NO_SETTINGS
        )
    )
