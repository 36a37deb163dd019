"""Program: prints the size of a network as one JSON object.

    python -m emotion_nas_tf.describe --stream=spectrogram --num_cells=3
        --num_channels=6 [--genotype=FILE]

Without a genotype, of the search network.
"""

import dataclasses
import json
from collections.abc import Sequence

from emotion_nas_tf.search_space.genotype import load_genotype
from flags import describe_flags, genotype_flags, network_flags
from tfrecords_builder import program


def main(argv: Sequence[str]) -> None:
    """Builds the network and counts."""
    program.refuse_arguments(argv)
    path = genotype_flags.genotype_path()
    genotype = load_genotype(path) if path else None
    network = network_flags.network_config()
    if genotype is not None:
        network = dataclasses.replace(network, num_nodes=genotype.num_nodes)

    program.load_tensorflow()
    from emotion_nas_tf.networks.system import build_network, count_parameters

    # The input's size does not change the counts; a small one is quick.
    model = build_network(
        network, describe_flags.num_classes(), genotype, (16, 16)
    )
    description = {
        "stream": describe_flags.stream(),
        "network": "search" if genotype is None else "derived",
        **dataclasses.asdict(network),
        "num_classes": describe_flags.num_classes(),
        "parameters": count_parameters(model),
    }
    if genotype is not None:
        description["genotype"] = dataclasses.asdict(genotype)
    print(json.dumps(description))


if __name__ == "__main__":
    program.run(main)
