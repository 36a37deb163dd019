"""The derived networks of one test: inherited, retrained, random cell."""

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path

from emotion_nas_tf.config import DerivedTrainConfig, NetworkConfig
from emotion_nas_tf.data.folds import Fold
from emotion_nas_tf.networks.system import (
    check_records,
    has_system,
    load_info,
)
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import (
    Genotype,
    load_genotype,
    random_genotype,
)
from emotion_nas_tf.training.architecture_verdict import add_retrained
from emotion_nas_tf.training.inheriting import inherit_system
from emotion_nas_tf.training.searching import load_final_search_network
from emotion_nas_tf.training.state import claim_folder, set_random_state
from emotion_nas_tf.training.supervised import (
    load_training_data,
    train_system,
)
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest


def train_fold(
    records_dir: Path,
    manifest: RecordsManifest,
    fold: Fold,
    directory: FoldDirectory,
    network_config: NetworkConfig,
    config: DerivedTrainConfig,
    systems: Sequence[str],
    genotype_path: Path | None = None,
) -> None:
    """Makes the derived networks asked for; what is finished is kept.

    Args:
      records_dir: of the manifest.
      manifest: the records.
      fold: the test.
      directory: its folder.
      network_config: size of the networks.
      config: how they are trained.
      systems: of `inherited`, `retrained`, `random_cell`.
      genotype_path: cells to retrain in place of those the search found.

    Raises:
      UsageError: when the search's result is needed and not there, or of
        another size.
      WorkError: when the loss stops being finite.
    """
    set_random_state(config)
    needs_search = "inherited" in systems or (
        "retrained" in systems and genotype_path is None
    )
    path = genotype_path or directory.genotype
    # A random cell is of the kind of the others, where there are others.
    wanted = needs_search or genotype_path or path.is_file()
    genotype = load_genotype(path) if wanted else None
    check_records(directory, manifest)
    if "inherited" in systems:
        _check_inheritance(directory, network_config, genotype_path)
        # What its statistics are measured with; the rest is the search's.
        claim_folder(
            directory.system("inherited"),
            {
                "program": "train",
                "records": manifest.digest,
                "test_speaker": fold.test_speaker,
                "batch_size": config.batch_size,
                "seed": config.seed,
            },
        )
    data = load_training_data(records_dir, manifest, fold)
    if "inherited" in systems and not directory.info("inherited").is_file():
        inherit_system(
            directory.system("inherited"),
            load_final_search_network(
                directory, network_config, len(manifest.label_names)
            ),
            data,
            manifest,
            genotype,
            network_config,
            config,
        )
    cells = {
        "retrained": genotype,
        "random_cell": _random_cell(
            fold,
            network_config,
            config,
            all_edges=genotype is not None and genotype.all_edges,
        ),
    }
    for system, cell in cells.items():
        if system in systems:
            train_system(
                system,
                directory.system(system),
                data,
                manifest,
                fold,
                cell,
                network_config,
                config,
            )
    found = "retrained" in systems and genotype_path is None
    if found and has_system(directory, "retrained"):
        add_retrained(
            directory.spectrogram,
            load_info(directory, "retrained").validation_ua,
        )


def _random_cell(
    fold: Fold,
    network_config: NetworkConfig,
    config: DerivedTrainConfig,
    all_edges: bool,
) -> Genotype:
    """Another cell for every test: one draw says little about random ones."""
    name = f"{config.seed} {fold.session} {fold.test_speaker}"
    return random_genotype(
        zlib.crc32(name.encode()), network_config.num_nodes, all_edges
    )


def _check_inheritance(
    directory: FoldDirectory,
    network_config: NetworkConfig,
    genotype_path: Path | None,
) -> None:
    if genotype_path is not None:
        raise UsageError(
            "Another genotype cannot inherit the search network's weights. "
            "Leave out --genotype, or ask for --systems=retrained."
        )
    searched = load_info(directory, "search").network
    if searched.partial_channels > 1:
        raise UsageError(
            f"The search in {directory.spectrogram} mixed a part of every "
            "node's channels: its weights fit no derived network. Ask for "
            "--systems=retrained,random_cell."
        )
    # How alpha was relaxed says nothing about the weights.
    asked = dataclasses.replace(
        network_config, relaxation=searched.relaxation, partial_channels=1
    )
    if searched != asked:
        raise UsageError(
            f"The search network in {directory.spectrogram} has "
            f"{searched.num_cells} cells and {searched.num_channels} channels; "
            f"{network_config.num_cells} and {network_config.num_channels} "
            "were asked for. Give the same --num_cells and --num_channels, or "
            "ask for --systems=retrained,random_cell."
        )
