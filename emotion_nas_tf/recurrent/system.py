"""Trained recurrent networks on disk: weights and all that rebuilds them.

FOLDER/network.json         what it is, its recipe, and of which features
FOLDER/network.weights.h5   its weights

An ensemble has a folder for each member instead of weights, see
`networks.members`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emotion_nas_tf.config import RecurrentConfig
from emotion_nas_tf.networks.ensemble import EnsembleNetwork, load_members
from emotion_nas_tf.networks.info_file import read_info, write_info
from emotion_nas_tf.networks.system import WEIGHTS_NAME, load_weights
from emotion_nas_tf.recurrent.network import (
    RecurrentNetwork,
    build_recurrent_network,
)
from emotion_nas_tf.recurrent.parameters import parameters
from emotion_nas_tf.recurrent.recipe import Recipe
from emotion_nas_tf.run_directory import FoldDirectory
from emotion_nas_tf.systems import SYSTEMS
from tfrecords_builder.config import SequenceConfig
from tfrecords_builder.errors import UsageError
from tfrecords_builder.records import RecordsManifest

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RecurrentInfo:
    """What a trained recurrent network is.

    Attributes:
      system: one of the recurrent stream's.
      network: its size.
      recipe: its cell.
      label_names: the classes of its logits.
      sequence: the features it hears through.
      features: their title, for tables.
      fingerprint: theirs, to compare with records.
      records: digest of the records it was trained on.
      corpus: their corpus.
      validation_ua: of the kept epoch, on the validation speaker.
      validation_loss: likewise.
      epoch: epochs trained when it was kept.
      parameters: trainable weights.
    """

    system: str
    network: RecurrentConfig
    recipe: Recipe
    label_names: tuple[str, ...]
    sequence: SequenceConfig
    features: str
    fingerprint: str
    records: str
    corpus: str
    validation_ua: float
    validation_loss: float
    epoch: int
    parameters: int

    @property
    def num_frames(self) -> int | None:
        """To which length utterances are padded; None: to any."""
        return padded_frames(self.network, self.sequence)


def padded_frames(
    network: RecurrentConfig, sequence: SequenceConfig
) -> int | None:
    """Frames of every utterance; None where padding is left out.

    A network that attends to padding answers by how much of it there is.
    """
    return None if network.masked else sequence.num_frames


def describe_recurrent_system(
    system: str,
    network_config: RecurrentConfig,
    recipe: Recipe,
    manifest: RecordsManifest,
    kept: Mapping[str, float],
) -> RecurrentInfo:
    """What `network.json` says of a trained network.

    Args:
      system: one of the recurrent stream's.
      network_config: its size.
      recipe: its cell.
      manifest: of the records it was trained on.
      kept: `validation_ua`, `validation_loss` and `epoch` of its weights.
    """
    counts = parameters(network_config, recipe, len(manifest.label_names))
    return RecurrentInfo(
        system=system,
        network=network_config,
        recipe=recipe,
        label_names=tuple(manifest.label_names),
        sequence=manifest.sequence,
        features=manifest.sequence.title,
        fingerprint=manifest.sequence.fingerprint(),
        records=manifest.digest,
        corpus=manifest.corpus,
        validation_ua=kept["validation_ua"],
        validation_loss=kept["validation_loss"],
        epoch=int(kept["epoch"]),
        parameters=counts["total"],
    )


def save_recurrent_info(folder: Path, info: RecurrentInfo) -> None:
    """Writes `network.json`: from now on the system exists."""
    fields = dataclasses.asdict(info)
    fields["recipe"] = info.recipe.to_mapping()
    write_info(folder, fields, SCHEMA_VERSION)


def load_recurrent_info(directory: FoldDirectory, system: str) -> RecurrentInfo:
    """Reads `network.json`.

    Raises:
      UsageError: when the system is not there or was written by another
        release.
    """
    return _read_info(directory.system(system), system)


def _read_info(folder: Path, system: str) -> RecurrentInfo:
    fields = read_info(
        folder,
        title=f"trained {system} network",
        maker=f"{SYSTEMS[system].program} --streams=recurrent",
        schema_version=SCHEMA_VERSION,
        kind=RecurrentInfo,
    )
    fields["network"] = RecurrentConfig(**fields["network"])
    fields["sequence"] = SequenceConfig(**fields["sequence"])
    fields["recipe"] = Recipe.from_mapping(fields["recipe"])
    fields["label_names"] = tuple(fields["label_names"])
    return RecurrentInfo(**fields)


def load_recurrent_system(
    directory: FoldDirectory, system: str
) -> tuple[RecurrentNetwork | EnsembleNetwork, RecurrentInfo]:
    """Rebuilds a trained network, or an ensemble of several.

    Args:
      directory: the test's folder.
      system: one of the recurrent stream's.

    Returns:
      The network, ((batch, frames, d), (batch,) lengths) -> (batch, classes)
      logits, and what it is. Utterances are padded to `info.num_frames`.

    Raises:
      UsageError: when it is not there.
      WorkError: when its weights are damaged.
    """
    folder = directory.system(system)
    info = load_recurrent_info(directory, system)
    return load_members(folder, info, partial(_load, system)), info


def _load(system: str, folder: Path) -> tuple[RecurrentNetwork, RecurrentInfo]:
    """A single network, and what it is."""
    info = _read_info(folder, system)
    network = build_recurrent_network(
        info.network, info.recipe, len(info.label_names)
    )
    load_weights(network, folder / WEIGHTS_NAME)
    return network, info


def check_sequences(
    manifest: RecordsManifest, info: RecurrentInfo, owner: str
) -> None:
    """Refuses records whose features over time are not the network's.

    Args:
      manifest: the records'.
      info: of the network.
      owner: the network, in words.

    Raises:
      UsageError: when they have none, or others.
    """
    sequence = manifest.sequence
    if sequence is not None and sequence.fingerprint() == info.fingerprint:
        return
    has = sequence.title if sequence else "no features over time"
    marks = f" ({sequence.fingerprint()[:12]})" if sequence else ""
    raise UsageError(
        f"The records have {has}{marks}; {owner} was trained on "
        f"{info.features} ({info.fingerprint[:12]}). Name the records it was "
        "trained with, or train it anew in another --run_dir."
    )
