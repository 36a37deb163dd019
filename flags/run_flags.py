"""What `emotion_nas_tf.run` notes of its settings in the run's folder."""

from emotion_nas_tf.config import (
    DerivedTrainConfig,
    NetworkConfig,
    SearchConfig,
    as_json,
)


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
