"""What `emotion_nas_tf.run` notes of its settings in the run's folder."""

from emotion_nas_tf.config import (
    NetworkConfig,
    SearchConfig,
    TrainConfig,
    as_json,
)


def run_settings(
    network: NetworkConfig, search: SearchConfig, train: TrainConfig
) -> dict:
    """All that must stay the same when a run goes on; folds may be added."""
    return {
        "program": "run",
        **as_json(network),
        **{f"search_{name}": v for name, v in as_json(search).items()},
        **{f"train_{name}": v for name, v in as_json(train).items()},
    }
