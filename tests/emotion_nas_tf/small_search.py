"""A search of seconds, imported by name."""

import json

from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.data.protocol import open_records
from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.training.searching import search_fold

NETWORK = NetworkConfig(num_cells=3, num_channels=2, num_nodes=2)
SEARCH = SearchConfig(epochs=3, batch_size=8, watch_hessian=True)


def search(protocol, run_dir, config=SEARCH, network=NETWORK):
    manifest, (fold,) = open_records(protocol)
    directory = RunDirectory(run_dir).test(1, fold.test_speaker)
    search_fold(
        protocol.records_dir, manifest, fold, directory, network, config
    )
    return directory


def watch_of(directory):
    return json.loads((directory.spectrogram / "watch.json").read_text())
