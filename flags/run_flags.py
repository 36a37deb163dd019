"""The flags of `emotion_nas_tf.run`, and the settings that it notes."""

import dataclasses
from collections.abc import Sequence

from absl import flags

from emotion_nas_tf.config import RunConfig, as_json
from emotion_nas_tf.systems import COMPARATORS, systems_of
from flags import (
    candidate_flags,
    fuse_flags,
    network_flags,
    recurrent_flags,
    recurrent_train_flags,
    search_flags,
    train_flags,
)
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
      streams: that are to be searched.

    Raises:
      UsageError: for an unknown comparator.
    """
    known = systems_of(COMPARATORS)
    unknown = [name for name in _COMPARATORS.value if name not in known]
    if unknown:
        raise UsageError(
            f"--comparators: {', '.join(unknown)} is none; known are "
            f"{', '.join(known)}."
        )
    return RunConfig(
        streams=tuple(streams),
        network=network_flags.network_config(),
        search=search_flags.search_config(),
        train=train_flags.train_config(),
        recurrent=recurrent_flags.recurrent_config(),
        candidates=candidate_flags.candidate_search_config(),
        recurrent_train=recurrent_train_flags.recurrent_train_config(),
        fusion=fuse_flags.fusion_config(),
        comparators=tuple(name for name in known if name in _COMPARATORS.value),
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
