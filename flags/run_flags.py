"""The flags of `emotion_nas_tf.run`, and the settings that it notes."""

from absl import flags

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    SearchConfig,
    as_json,
)

_PARALLEL_TESTS = flags.DEFINE_integer(
    "parallel_tests",
    1,
    "Tests (a fold has two) that run at a time, each in a process of its own "
    "with its share of the cores; fewer where memory does not suffice.",
    lower_bound=1,
)


def parallel_tests() -> int:
    """Tests at a time that are wished for."""
    return _PARALLEL_TESTS.value


def run_settings(
    records: str,
    network: NetworkConfig,
    search: SearchConfig,
    train: DerivedTrainConfig,
) -> dict:
    """All that must stay the same when a run goes on; folds may be added.

    Args:
      records: digest of the records.
      network: size of the networks.
      search: how the search is run.
      train: how derived networks are trained.
    """
    return {
        "program": "run",
        "records": records,
        **as_json(network),
        **{f"search_{name}": v for name, v in as_json(search).items()},
        **{f"train_{name}": v for name, v in as_json(train).items()},
    }
