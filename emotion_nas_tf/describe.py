"""Program: prints the size of a network as one JSON object.

    python -m emotion_nas_tf.describe --stream=spectrogram --num_cells=3
        --num_channels=6 [--genotype=FILE]
    python -m emotion_nas_tf.describe --stream=wav2vec --recipe=FILE
        [--num_layers=2] [--hidden_size=256] [--input_size=512]

Without a genotype, of the search network. A recipe is a file, or one of lstm,
gru, rnn, table4.
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

from emotion_nas_tf.networks.parameters import (
    architecture_parameters,
    parameters,
)
from emotion_nas_tf.recurrent.parameters import (
    parameters as recurrent_parameters,
)
from emotion_nas_tf.recurrent.recipe_files import BUILT_IN, load_recipe
from emotion_nas_tf.search_space.genotype import load_genotype
from flags import (
    describe_flags,
    genotype_flags,
    input_size_flags,
    network_flags,
    recipe_flags,
    recurrent_flags,
)
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError


def main(argv: Sequence[str]) -> None:
    """Counts from the structure: nothing is built."""
    program.refuse_arguments(argv)
    if describe_flags.stream() == "spectrogram":
        description = _spectrogram()
    else:
        description = _recurrent()
    print(json.dumps(description))


def _spectrogram() -> dict[str, Any]:
    path = genotype_flags.genotype_path()
    genotype = load_genotype(path) if path else None
    network = network_flags.network_config()
    if genotype is not None:
        network = dataclasses.replace(network, num_nodes=genotype.num_nodes)

    num_classes = describe_flags.num_classes()
    counts = parameters(network, num_classes, genotype)
    alphas = architecture_parameters(network)
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
    return description


def _recurrent() -> dict[str, Any]:
    path = recipe_flags.recipe_path()
    if path is None:
        raise UsageError(
            "Which recurrent cell? Name a recipe file with --recipe, or one "
            f"of {', '.join(BUILT_IN)}."
        )
    recipe = load_recipe(path)
    for warning in recipe.warnings():
        print(f"Warning: {path}: {warning}", file=sys.stderr)
    network = dataclasses.replace(
        recurrent_flags.recurrent_config(),
        input_size=input_size_flags.input_size(),
    )
    num_classes = describe_flags.num_classes()
    return {
        "stream": describe_flags.stream(),
        "network": "recurrent",
        **dataclasses.asdict(network),
        "num_classes": num_classes,
        "parameters": recurrent_parameters(network, recipe, num_classes),
        "hidden_states": recipe.num_states,
        "recipe_digest": recipe.digest,
        "warnings": list(recipe.warnings()),
        "recipe": recipe.to_mapping(),
    }


if __name__ == "__main__":
    program.run(main)
