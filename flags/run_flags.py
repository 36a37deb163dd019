"""The flags of `emotion_nas_tf.run`, and the settings that it notes."""

import dataclasses
from collections.abc import Sequence

from absl import flags

from emotion_nas_tf.config import (
    FusionConfig,
    NetworkConfig,
    RunConfig,
    as_json,
)
from emotion_nas_tf.systems import (
    COMPARATORS,
    RECURRENT,
    SPECTROGRAM,
    STREAMS,
    SYSTEMS,
    systems_of,
)
from flags import (
    candidate_flags,
    fuse_flags,
    network_flags,
    recurrent_flags,
    recurrent_train_flags,
    search_flags,
    train_flags,
)
from flags.given import given_flags, note_idle_flags
from tfrecords_builder.errors import UsageError

_PARALLEL_TESTS = flags.DEFINE_integer(
    "parallel_tests",
    1,
    "Tests (a fold has two) that run at a time, each in a process of its own "
    "with its share of the cores; fewer where memory does not suffice.",
    lower_bound=1,
)
_COMPARATORS = flags.DEFINE_list(
    "comparators",
    list(RunConfig.comparators),
    f"What to compare with, of {', '.join(systems_of(COMPARATORS))}; empty "
    "for nothing.",
)


def parallel_tests() -> int:
    """Tests at a time that are wished for."""
    return _PARALLEL_TESTS.value


def run_config(streams: Sequence[str]) -> RunConfig:
    """What the flags ask for.

    Args:
      streams: that are to be searched; none while they are not known.

    Raises:
      UsageError: for an unknown comparator, or a fusion of what the run does
        not make.
    """
    known = systems_of(COMPARATORS)
    unknown = [name for name in _COMPARATORS.value if name not in known]
    if unknown:
        raise UsageError(
            f"--comparators: {', '.join(unknown)} is none; known are "
            f"{', '.join(known)}."
        )
    network, fusion = network_flags.network_config(), fuse_flags.fusion_config()
    _check_fusion(streams, network, fusion)
    return RunConfig(
        streams=tuple(streams),
        network=network,
        search=search_flags.search_config(),
        train=train_flags.train_config(),
        recurrent=recurrent_flags.recurrent_config(),
        candidates=candidate_flags.candidate_search_config(),
        recurrent_train=recurrent_train_flags.recurrent_train_config(),
        fusion=fusion,
        comparators=tuple(name for name in known if name in _COMPARATORS.value),
    )


def note_idle(config: RunConfig) -> None:
    """Says which flags do nothing, of streams that nobody runs.

    Args:
      config: of the run.
    """
    if SPECTROGRAM not in config.streams:
        modules = [search_flags]
        if "cnn" not in config.comparators:
            modules += [network_flags, train_flags]
        note_idle_flags("the spectrogram stream is not run", *modules)
    if RECURRENT not in config.streams:
        note_idle_flags(
            "the recurrent stream is not run",
            recurrent_flags,
            recurrent_train_flags,
            candidate_flags,
        )


def _check_fusion(
    streams: Sequence[str], network: NetworkConfig, fusion: FusionConfig
) -> None:
    given = given_flags(fuse_flags)
    if given and streams and set(streams) != set(STREAMS):
        raise UsageError(
            f"--{given[0]} does nothing with the stream {', '.join(streams)} "
            f"alone: a fusion joins {' and '.join(STREAMS)}. Leave it out, or "
            "name records and --streams of both."
        )
    if tuple(SYSTEMS[name].stream for name in fusion.fused) != STREAMS:
        raise UsageError(
            f"--fused={','.join(fusion.fused)}: `run` fuses one system of each "
            "stream, e.g. retrained,recipe. Other fusions of its systems are "
            "made afterwards, by `python -m emotion_nas_tf.fuse`."
        )
    made = (*network.systems, *systems_of(RECURRENT))
    missing = [name for name in fusion.fused if name not in made]
    if missing:
        raise UsageError(
            f"--fused: {missing[0]} is not made with --partial_channels="
            f"{network.partial_channels}. Fuse retrained instead."
        )


def run_settings(records: str, config: RunConfig) -> dict:
    """All that must stay the same when a run goes on; folds may be added.

    Args:
      records: digest of the records.
      config: of the run.
    """
    settings = {"program": "run", "records": records}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            # The size of the spectrogram networks goes by the flags' names.
            prefix = "" if field.name == "network" else f"{field.name}_"
            settings |= {
                f"{prefix}{name}": part for name, part in as_json(value).items()
            }
        else:
            settings[field.name] = value
    return settings
