"""Program: prints the size of a network as one JSON object.

    python -m emotion_nas_tf.describe --stream=spectrogram --num_cells=3
        --num_channels=6 [--genotype=FILE]

Without a genotype, of the search network.
"""

import dataclasses
import json
from collections.abc import Sequence

from emotion_nas_tf.networks.parameters import (
    architecture_parameters,
    parameters,
)
from emotion_nas_tf.search_space.genotype import load_genotype
from flags import describe_flags, genotype_flags, network_flags
from tfrecords_builder import program


def main(argv: Sequence[str]) -> None:
    """Counts from the structure: nothing is built."""
    program.refuse_arguments(argv)
    path = genotype_flags.genotype_path()
    genotype = load_genotype(path) if path else None
    network = network_flags.network_config()
    if genotype is not None:
        network = dataclasses.replace(network, num_nodes=genotype.num_nodes)

    num_classes = describe_flags.num_classes()
    counts = parameters(network, num_classes, genotype)
    alphas = architecture_parameters(network.num_nodes)
    description = {
        "stream": describe_flags.stream(),
        "network": "search" if genotype is None else "derived",
        **dataclasses.asdict(network),
        "num_classes": num_classes,
        "parameters": {
            "trainable": counts.total,
            "architecture": alphas if genotype is None else 0,
        },
    }
    if genotype is not None:
        description["genotype"] = dataclasses.asdict(genotype)
    print(json.dumps(description))


if __name__ == "__main__":
    program.run(main)
