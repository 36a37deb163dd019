"""Fusions on disk: what is joined, how, and the perceptron's weights.

FOLDER/network.json         what it is, and of which trained systems
FOLDER/network.weights.h5   the perceptron's weights; a mean has none
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from scipy.special import softmax

from emotion_nas_tf.networks.fusion import (
    FusionNetwork,
    mean_of,
    product_of,
    stack_streams,
)
from emotion_nas_tf.networks.info_file import read_info, write_info
from emotion_nas_tf.networks.members import digest_of_weights
from emotion_nas_tf.networks.system import (
    WEIGHTS_NAME,
    load_weights,
    save_weights,
)
from emotion_nas_tf.run_directory import INFO_NAME, FoldDirectory
from tfrecords_builder.errors import UsageError, WorkError

SCHEMA_VERSION = 1
PERCEPTRON, MEAN, PRODUCT = "perceptron", "mean", "product"


@dataclass(frozen=True)
class FusionInfo:
    """What a fusion is.

    Attributes:
      system: one of the group `fusion`.
      method: `perceptron`, `mean` or `product`.
      fused: systems joined, in the order of the perceptron's inputs; one may
        be there twice.
      trained: digest of each one's weights, by system.
      label_names: the classes.
      fingerprint: of the records' spectrogram, to compare with records.
      records: digest of the records it was made on.
      corpus: their corpus.
      settings: of the perceptron's fitting; empty for others.
      validation_ua: on the validation speaker; where the perceptron was fitted
        on that speaker, too high.
      epoch: epochs trained when it was kept; 0 where nothing is trained.
      parameters: trainable weights of all, the systems' included.
      own_parameters: the perceptron's.
    """

    system: str
    method: str
    fused: tuple[str, ...]
    trained: dict[str, str]
    label_names: tuple[str, ...]
    fingerprint: str
    records: str
    corpus: str
    settings: dict
    validation_ua: float
    epoch: int
    parameters: int
    own_parameters: int


def build_fusion(info: FusionInfo) -> FusionNetwork:
    """The perceptron of a fusion, with new weights."""
    network = FusionNetwork(
        len(info.fused), len(info.label_names), info.settings["activation"]
    )
    network.build((None, len(info.fused), len(info.label_names)))
    return network


def digest_of(directory: FoldDirectory, system: str) -> str:
    """Digest of a trained system's weights, all members' of an ensemble.

    Raises:
      FileNotFoundError: when they are not there.
    """
    return digest_of_weights(directory.system(system), WEIGHTS_NAME)


def save_fusion(
    directory: FoldDirectory,
    info: FusionInfo,
    network: FusionNetwork | None = None,
) -> None:
    """Writes the weights, then `network.json`: from now on it exists.

    Args:
      directory: the test's folder.
      info: what it is.
      network: the perceptron; None for a mean or product.
    """
    folder = directory.system(info.system)
    folder.mkdir(parents=True, exist_ok=True)
    # An older one would pass for what the new weights are of.
    (folder / INFO_NAME).unlink(missing_ok=True)
    if network is not None:
        save_weights(network, folder / WEIGHTS_NAME)
    write_info(folder, dataclasses.asdict(info), SCHEMA_VERSION)


def load_fusion_info(directory: FoldDirectory, system: str) -> FusionInfo:
    """Reads `network.json`.

    Raises:
      UsageError: when the fusion is not there, was written by another
        release, or a system it joins has been trained anew.
    """
    fields = read_info(
        directory.system(system),
        title=system,
        maker="emotion_nas_tf.fuse",
        schema_version=SCHEMA_VERSION,
        kind=FusionInfo,
    )
    for name in ("fused", "label_names"):
        fields[name] = tuple(fields[name])
    info = FusionInfo(**fields)
    changed = [
        name
        for name, digest in info.trained.items()
        if _is_changed(directory, name, digest)
    ]
    if changed:
        raise UsageError(
            f"{', '.join(changed)} in {directory.path} is no longer the "
            f"network that {system} was made of. `python -m "
            "emotion_nas_tf.fuse` with the same --run_dir and --fold makes it "
            "anew."
        )
    return info


def _is_changed(directory: FoldDirectory, system: str, digest: str) -> bool:
    try:
        return digest_of(directory, system) != digest
    except FileNotFoundError:
        return True


def load_fusion(
    directory: FoldDirectory, system: str
) -> tuple[FusionNetwork | None, FusionInfo]:
    """A fusion's perceptron, None where it has none, and what it is.

    Raises:
      UsageError: see `load_fusion_info`.
      WorkError: when its weights are damaged.
    """
    info = load_fusion_info(directory, system)
    if info.method != PERCEPTRON:
        return None, info
    network = build_fusion(info)
    load_weights(network, directory.system(system) / WEIGHTS_NAME)
    return network, info


def join(
    network: FusionNetwork | None,
    info: FusionInfo,
    streams: Sequence[np.ndarray],
) -> np.ndarray:
    """The fusion's answers.

    Args:
      network: from `load_fusion`.
      info: likewise.
      streams: (n, K) probabilities of each of `info.fused`.

    Returns:
      (n, K) float64 probabilities.

    Raises:
      WorkError: when the perceptron's answer is not finite.
    """
    stacked = stack_streams(streams)
    if network is None:
        return join_plainly(info.method, stacked)
    return perceptron_probabilities(network, stacked)


def join_plainly(method: str, stacked: np.ndarray) -> np.ndarray:
    """(n, streams, K) probabilities to their `mean` or `product`, (n, K)."""
    return {MEAN: mean_of, PRODUCT: product_of}[method](stacked)


def perceptron_probabilities(
    network: FusionNetwork, stacked: np.ndarray
) -> np.ndarray:
    """(n, streams, K) probabilities to the perceptron's (n, K), float64.

    Raises:
      WorkError: when they are not finite.
    """
    logits = keras.ops.convert_to_numpy(network(stacked.astype(np.float32)))
    if not np.isfinite(logits).all():
        raise WorkError(
            "The fusion's answer holds NaN or infinity: its fitting diverged. "
            "Fuse again with a lower --fusion_learning_rate."
        )
    return softmax(logits.astype(np.float64), axis=1)
