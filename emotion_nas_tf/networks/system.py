"""Trained networks on disk: their weights and all that rebuilds them.

FOLDER/network.json         what it is, and of which front end
FOLDER/network.weights.h5   its weights

An ensemble has a folder for each member instead of weights, see `members`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.networks.ensemble import load_members
from emotion_nas_tf.networks.info_file import read_info, write_info
from emotion_nas_tf.networks.precision import layers_in
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.search_space.genotype import Genotype
from emotion_nas_tf.search_space.supernet import SearchNetwork
from emotion_nas_tf.systems import SYSTEMS
from tfrecords_builder.config import SpectrogramConfig
from tfrecords_builder.errors import WorkError
from tfrecords_builder.files import replacing
from tfrecords_builder.records import (
    RecordsManifest,
    check_digest,
    check_fingerprint,
)

SCHEMA_VERSION = 1
WEIGHTS_NAME = "network.weights.h5"


@dataclass(frozen=True)
class SystemInfo:
    """What a trained network is.

    Attributes:
      system: one of `systems.SYSTEMS`.
      network: its size.
      genotype: its cells; None for a search network.
      label_names: the classes of its logits.
      spectrogram: the front end it hears through.
      fingerprint: the front end's, to compare with records.
      records: digest of the records it was trained on.
      corpus: their corpus.
      validation_ua: of the kept epoch, on the validation speaker; None when
        it was not measured.
      epoch: epochs trained when it was kept.
      parameters: trainable weights, alpha not counted.
    """

    system: str
    network: NetworkConfig
    genotype: Genotype | None
    label_names: tuple[str, ...]
    spectrogram: SpectrogramConfig
    fingerprint: str
    records: str
    corpus: str
    validation_ua: float | None
    epoch: int
    parameters: int


def build_network(
    network: NetworkConfig,
    num_classes: int,
    genotype: Genotype | None = None,
    input_shape: tuple[int, int] = (140, 140),
    seed: int = 0,
    precision: str = "float32",
) -> keras.Model:
    """A search network, or the derived one of a genotype, with its weights.

    Args:
      network: its size.
      num_classes: logits.
      genotype: cells; None for the search network.
      input_shape: (frequency, time) it is built on; it takes any other too.
      seed: of a search network's own noise, if it has any.
      precision: of its activations, one of `config.PRECISIONS`; the weights
        are the same in all.
    """
    sizes = {
        "num_cells": network.num_cells,
        "num_channels": network.num_channels,
        "num_classes": num_classes,
    }
    with layers_in(precision):
        if genotype is None:
            model = SearchNetwork(
                **sizes,
                num_nodes=network.num_nodes,
                relaxation=network.relaxation,
                partial_channels=network.partial_channels,
                seed=seed,
            )
        else:
            model = DerivedNetwork(genotype, **sizes)
        model(tf.zeros((1, *input_shape, 1), keras.config.floatx()))
    return model


def count_parameters(network: keras.Model) -> dict[str, int]:
    """Trainable weights and, apart from them, architecture weights."""
    weights = getattr(network, "network_weights", network.trainable_weights)
    alphas = getattr(network, "architecture_weights", [])
    return {
        name: sum(int(tf.size(variable.value)) for variable in variables)
        for name, variables in (
            ("trainable", weights),
            ("architecture", alphas),
        )
    }


def describe_system(
    system: str,
    network: keras.Model,
    network_config: NetworkConfig,
    genotype: Genotype | None,
    manifest: RecordsManifest,
    kept: Mapping[str, float],
) -> SystemInfo:
    """What `network.json` says of a trained network.

    Args:
      system: one of `systems.SYSTEMS`.
      network: with its weights.
      network_config: its size.
      genotype: its cells; None for a search network.
      manifest: of the records it was trained on.
      kept: `validation_ua` and `epoch` of the weights that are kept.
    """
    return SystemInfo(
        system=system,
        network=network_config,
        genotype=genotype,
        label_names=tuple(manifest.label_names),
        spectrogram=SpectrogramConfig(**manifest.features["spectrogram"]),
        fingerprint=manifest.fingerprint,
        records=manifest.digest,
        corpus=manifest.corpus,
        validation_ua=kept["validation_ua"],
        epoch=int(kept["epoch"]),
        parameters=count_parameters(network)["trainable"],
    )


def save_weights(network: keras.Model, path: Path) -> None:
    """Writes a network's weights, whole or not at all.

    Raises:
      WorkError: when HDF5 finds the disk full on closing the file.
      OSError: when it finds so before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        # Keras insists on its own ending.
        named = temporary.with_name(f"{temporary.name}.weights.h5")
        try:
            network.save_weights(named)
            named.replace(temporary)
        except RuntimeError as error:
            # Anything else is a defect of ours.
            if "errno = " not in str(error):
                raise
            raise WorkError(
                f"{path} cannot be written ({str(error).splitlines()[-1]}). "
                "Is the disk full? What was finished before is kept: free "
                "some space and run the same command again."
            ) from error
        finally:
            named.unlink(missing_ok=True)


def save_info(folder: Path, info: SystemInfo) -> None:
    """Writes `network.json`: from now on the system exists."""
    write_info(folder, dataclasses.asdict(info), SCHEMA_VERSION)


def has_system(directory: FoldDirectory, system: str) -> bool:
    """Whether a system of a test is there, trained to its end."""
    return directory.info(system).is_file()


def load_info(directory: FoldDirectory, system: str) -> SystemInfo:
    """Reads `network.json`.

    Raises:
      UsageError: when the system is not there or was written by another
        release.
    """
    return _read_info(directory.system(system), system)


def _read_info(folder: Path, system: str) -> SystemInfo:
    fields = read_info(
        folder,
        title=f"trained {system} network",
        maker=SYSTEMS[system].program,
        schema_version=SCHEMA_VERSION,
        kind=SystemInfo,
    )
    fields["network"] = NetworkConfig(**fields["network"])
    fields["spectrogram"] = SpectrogramConfig(**fields["spectrogram"])
    fields["label_names"] = tuple(fields["label_names"])
    if fields["genotype"] is not None:
        fields["genotype"] = Genotype(**fields["genotype"])
    return SystemInfo(**fields)


def check_records(directory: FoldDirectory, manifest: RecordsManifest) -> None:
    """Refuses to go on with other records than the search was made with.

    Raises:
      UsageError: when there is a finished search of another front end, or of
        other records of the same.
    """
    if not has_system(directory, "search"):
        return
    info = load_info(directory, "search")
    owner = f"the search in {directory.spectrogram}"
    check_fingerprint(manifest, info.fingerprint, owner)
    check_digest(manifest, info.records, owner)


def load_system(
    directory: FoldDirectory, system: str
) -> tuple[keras.Model, SystemInfo]:
    """Rebuilds a trained network, or an ensemble of several.

    Args:
      directory: the test's folder.
      system: one of `systems.SYSTEMS`.

    Returns:
      The model, (batch, 140, 140, 1) -> (batch, classes) logits, and what it
      is.

    Raises:
      UsageError: when it is not there.
      WorkError: when its weights are damaged.
    """
    folder, info = directory.system(system), load_info(directory, system)
    return load_members(folder, info, partial(_load, system)), info


def _load(system: str, folder: Path) -> tuple[keras.Model, SystemInfo]:
    """A single network, and what it is."""
    info = _read_info(folder, system)
    network = build_network(
        info.network,
        len(info.label_names),
        info.genotype,
        info.spectrogram.output_shape,
    )
    load_weights(network, folder / WEIGHTS_NAME)
    return network, info


def load_weights(network: keras.Model, path: Path) -> None:
    """Reads weights that `save_weights` wrote.

    Raises:
      WorkError: when the file is missing, damaged or of another network.
    """
    try:
        network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise WorkError(
            f"The weights in {path} cannot be read ({error}). Remove the "
            "folder and run the program that made it again."
        ) from error
