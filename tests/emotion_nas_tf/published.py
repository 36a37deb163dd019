"""Where a published weight lies in our layers.

Our layers keep the kernels of all edges leaving a node in one variable; the
published code has a module per edge. `locations` maps the published names to
(variable, index, axes): the published array is `variable[index]` with its axes
permuted, after unit axes are dropped.
"""

import keras
import numpy as np
import tensorflow as tf

from emotion_nas_tf.search_space import operations
from emotion_nas_tf.search_space.cell import edges_leaving
from emotion_nas_tf.search_space.supernet import SearchNetwork

ALL = slice(None)


def locations(network) -> dict:
    """Published name -> (variable, index, axes) for a whole network."""
    found = {
        "stem.0.weight": (network.stem, ALL, (3, 2, 0, 1)),
        "classifier.weight": (network.classifier.kernel, ALL, (1, 0)),
        "classifier.bias": (network.classifier.bias, ALL, None),
        **_normalization("stem.1", network.stem_normalization, ALL),
    }
    for k, cell in enumerate(network.cells):
        for side in (0, 1):
            layer = getattr(cell, f"preprocess{side}")
            prefix = f"cells.{k}.preprocess{side}"
            if isinstance(layer, operations.FactorizedReduction):
                found |= operation_locations(prefix, layer, 0)
            else:
                found[f"{prefix}.op.1.weight"] = (layer.kernel, ALL, (1, 0))
                found |= _normalization(
                    f"{prefix}.op.2", layer.normalization, ALL
                )
        if hasattr(cell, "mixed"):
            for source, mixed in enumerate(cell.mixed):
                for t, (_, edge) in enumerate(
                    edges_leaving(source, cell.num_nodes)
                ):
                    for name, layer in mixed.operations.items():
                        o = list(operations.OPERATIONS).index(name)
                        found |= operation_locations(
                            f"cells.{k}._ops.{edge}._ops.{o}", layer, t
                        )
        else:
            for edge, layer in enumerate(cell.operations):
                found |= operation_locations(f"cells.{k}._ops.{edge}", layer, 0)
    return found


def operation_locations(prefix: str, layer, t: int) -> dict:
    """Published name -> location for edge `t` of one operation."""
    block = slice(t * layer.channels, (t + 1) * layer.channels)
    if isinstance(layer, operations.FactorizedReduction):
        return {
            f"{prefix}.conv_1.weight": (layer.even, t, (1, 0)),
            f"{prefix}.conv_2.weight": (layer.odd, t, (1, 0)),
            **_normalization(f"{prefix}.bn", layer.last, block),
        }
    if isinstance(layer, operations.SeparableConvolution):
        stages = {1: layer.first, 5: layer.second}
    elif isinstance(layer, operations.DilatedConvolution):
        stages = {1: layer.stage}
    elif layer.last is not None:
        return _normalization(f"{prefix}.1", layer.last, block)
    else:
        return {}
    found = {}
    for number, stage in stages.items():
        found[f"{prefix}.op.{number}.weight"] = (
            stage.depthwise, t, (2, 0, 1),
        )  # fmt: skip
        found[f"{prefix}.op.{number + 1}.weight"] = (
            stage.pointwise, t, (1, 0),
        )  # fmt: skip
        found |= _normalization(
            f"{prefix}.op.{number + 2}", stage.normalization, block
        )
    return found


def _normalization(prefix: str, layer, index) -> dict:
    names = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    if layer.affine:
        names |= {"weight": "gamma", "bias": "beta"}
    return {
        f"{prefix}.{theirs}": (getattr(layer, ours), index, None)
        for theirs, ours in names.items()
    }


def assign(found: dict, published: dict[str, np.ndarray]) -> None:
    """Sets our variables from published arrays; every one must be met."""
    assert set(found) == set(published)
    values = {}
    for name, (variable, index, axes) in found.items():
        value = values.setdefault(
            id(variable), (variable, np.array(variable.numpy()))
        )[1]
        part = value[index]
        array = np.asarray(published[name])
        if axes is not None:
            shape = [part.shape[axis] for axis in axes]
            array = array.reshape(shape).transpose(np.argsort(axes))
        value[index] = array
    for variable, value in values.values():
        variable.assign(value)


def read(location: tuple, array: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The published view of `array`, shaped as our variable at `location`."""
    _, index, axes = location
    part = np.asarray(array)[index]
    if axes is not None:
        part = part.transpose(axes)
    return part.reshape(like.shape)


def load_search_network(fixture):
    """The fixture's search network (L=3, C=4), and where its weights lie."""
    network = SearchNetwork(num_cells=3, num_channels=4)
    network(tf.zeros((1, 28, 28, 1), keras.config.floatx()))
    found = locations(network)
    assign(found, part(fixture, "w/"))
    network.normal_logits.assign(fixture["alphas_normal"])
    network.reduce_logits.assign(fixture["alphas_reduce"])
    return network, found


def set_directions(optimizer, network, found, fixture) -> None:
    """Sets the optimiser's directions to the published momentum buffers."""
    places = direction_locations(optimizer, network, found)
    buffers = part(fixture, "momentum_buffer/")
    assign({name: places[name] for name in buffers}, buffers)


def direction_locations(optimizer, network, found) -> dict:
    """As `found`, of the optimiser's directions in place of the weights."""
    directions = {
        id(weight): direction
        for weight, direction in zip(
            network.network_weights, optimizer.directions, strict=True
        )
    }
    return {
        name: (directions[id(variable)], index, axes)
        for name, (variable, index, axes) in found.items()
        if id(variable) in directions
    }


def part(fixture, prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): fixture[name]
        for name in fixture.files
        if name.startswith(prefix)
    }


def batch(fixture, suffix: str = ""):
    """(features, labels) of the training batch, or of `_val`."""
    x = np.transpose(fixture[f"x{suffix}_nchw"], (0, 2, 3, 1))
    return (
        tf.constant(x, keras.config.floatx()),
        tf.constant(fixture[f"y{suffix}"], tf.int32),
    )
