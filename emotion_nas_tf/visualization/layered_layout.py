r"""Where the boxes of a directed graph go: one layer under the other.

    layer 0     x      h
                | \    |
    layer 1     A  |   B        what leaves a box keeps a place of its own
                | /  \ |        in every layer it passes: a line meets no box
    layer 2     C      D

The steps are Sugiyama's (1981): layers, then an order within each that has few
crossings, then places. All that leaves one box is one line, which branches.
Pure NumPy and SciPy; the same graph is laid out alike every time.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

# Orders to begin from; more find hardly better ones.
_STARTS = 12
_SWEEPS = 12

# A place in a layer: a box's, or that of a box's line passing by.
Place = tuple[str, int]


@dataclass(frozen=True)
class Layout:
    """Where everything is.

    Attributes:
      layers: boxes' layers, from 0 downward.
      x: middle of every place, by (box, layer).
      segments: (place, place one layer below) that a line joins.
      width: of the whole.
    """

    layers: Mapping[str, int]
    x: Mapping[Place, float]
    segments: tuple[tuple[Place, Place], ...]
    width: float

    @property
    def num_layers(self) -> int:
        """Layers."""
        return 1 + max(self.layers.values())


def lay_out(
    edges: Sequence[tuple[str, str]],
    widths: Mapping[str, float],
    first: Sequence[str],
    last: Sequence[str],
    line_width: float,
    gap: float,
) -> Layout:
    """Lays a graph out.

    Args:
      edges: (box, box that reads it); no circle.
      widths: of the boxes.
      first: boxes of the top layer, in their order.
      last: boxes of the bottom layer.
      line_width: room for a line that passes a layer.
      gap: between two neighbours.
    """
    layers = _layers(edges, list(widths), first, last)
    segments = _segments(edges, layers)
    places = {place for segment in segments for place in segment}
    order = _ordered(segments, places, first)
    room = {
        (box, layer): widths[box] if layers[box] == layer else line_width
        for box, layer in places
    }
    x = _positions(order, segments, room, gap)
    left = min(x[place] - room[place] / 2 for place in places)
    right = max(x[place] + room[place] / 2 for place in places)
    return Layout(
        layers,
        {place: middle - left for place, middle in x.items()},
        segments,
        right - left,
    )


def _layers(
    edges: Sequence[tuple[str, str]],
    boxes: Sequence[str],
    first: Sequence[str],
    last: Sequence[str],
) -> dict[str, int]:
    """As early as a box can be, then where lines are shortest."""
    sources = {box: [a for a, b in edges if b == box] for box in boxes}
    targets = {box: [b for a, b in edges if a == box] for box in boxes}
    layers = dict.fromkeys(boxes, 0)
    for _ in boxes:
        for box in boxes:
            if box not in first:
                layers[box] = 1 + max(layers[s] for s in sources[box])
    bottom = max(layers.values())
    layers.update(dict.fromkeys(last, bottom))

    def cost() -> float:
        lengths = sum(
            max((layers[t] for t in targets[box]), default=layers[box])
            - layers[box]
            for box in boxes
        )
        crowds = np.bincount(list(layers.values()))
        return lengths + 0.3 * float(np.square(crowds).sum())

    for _ in boxes:
        before = cost()
        for box in boxes:
            if box in first or box in last:
                continue
            low = 1 + max(layers[s] for s in sources[box])
            high = min(layers[t] for t in targets[box]) - 1
            costs = []
            for layers[box] in range(low, high + 1):
                costs.append((cost(), layers[box]))
            layers[box] = min(costs)[1]
        if cost() >= before:
            break
    return layers


def _segments(
    edges: Sequence[tuple[str, str]], layers: Mapping[str, int]
) -> tuple[tuple[Place, Place], ...]:
    found: dict[tuple[Place, Place], None] = {}
    for source, target in edges:
        for layer in range(layers[source], layers[target]):
            is_end = layer + 1 == layers[target]
            below = target if is_end else source
            found[(source, layer), (below, layer + 1)] = None
    return tuple(found)


def _ordered(
    segments: Sequence[tuple[Place, Place]],
    places: set[Place],
    first: Sequence[str],
) -> list[list[Place]]:
    """The places of every layer from left to right."""
    above: dict[Place, list[Place]] = {place: [] for place in places}
    below: dict[Place, list[Place]] = {place: [] for place in places}
    for upper, lower in segments:
        above[lower].append(upper)
        below[upper].append(lower)
    depth = 1 + max(layer for _, layer in places)
    plain = [
        sorted(place for place in places if place[1] == layer)
        for layer in range(depth)
    ]
    plain[0].sort(key=lambda place: first.index(place[0]))
    best, fewest = plain, _crossings(plain, below)
    for start in range(_STARTS):
        generator = random.Random(start)
        order = [list(layer) for layer in plain]
        for layer in order[1:]:
            generator.shuffle(layer)
        for _ in range(_SWEEPS):
            for layer in range(1, depth):
                _sort_by(order[layer], order[layer - 1], above)
            for layer in range(depth - 2, 0, -1):
                _sort_by(order[layer], order[layer + 1], below)
            _swap_neighbours(order, above, below)
            count = _crossings(order, below)
            if count < fewest:
                best, fewest = [list(layer) for layer in order], count
    return best


def _sort_by(
    layer: list[Place],
    fixed: Sequence[Place],
    neighbours: Mapping[Place, Sequence[Place]],
) -> None:
    index = {place: i for i, place in enumerate(fixed)}
    means = {
        place: float(np.mean([index[n] for n in neighbours[place]]))
        if neighbours[place]
        else layer.index(place)
        for place in layer
    }
    layer.sort(key=means.__getitem__)


def _swap_neighbours(
    order: list[list[Place]],
    above: Mapping[Place, Sequence[Place]],
    below: Mapping[Place, Sequence[Place]],
) -> None:
    for number, layer in enumerate(order[1:], 1):
        fixed = [
            (order[number - 1], above),
            (order[number + 1] if number + 1 < len(order) else [], below),
        ]
        for i in range(len(layer) - 1):
            pair = layer[i], layer[i + 1]
            now = sum(_pair_crossings(*pair, *side) for side in fixed)
            then = sum(_pair_crossings(*pair[::-1], *side) for side in fixed)
            if then < now:
                layer[i], layer[i + 1] = pair[::-1]


def _pair_crossings(
    left: Place,
    right: Place,
    fixed: Sequence[Place],
    neighbours: Mapping[Place, Sequence[Place]],
) -> int:
    index = {place: i for i, place in enumerate(fixed)}
    return sum(
        index[a] > index[b] for a in neighbours[left] for b in neighbours[right]
    )


def _crossings(
    order: Sequence[Sequence[Place]], below: Mapping[Place, Sequence[Place]]
) -> int:
    return sum(
        _pair_crossings(layer[i], layer[j], order[number + 1], below)
        for number, layer in enumerate(order[:-1])
        for i in range(len(layer))
        for j in range(i + 1, len(layer))
    )


def _positions(
    order: Sequence[Sequence[Place]],
    segments: Sequence[tuple[Place, Place]],
    room: Mapping[Place, float],
    gap: float,
) -> dict[Place, float]:
    """Lines as straight as the orders let them: a linear program.

    Absolute distances, not squares, which would share every bend out among
    all the segments of a line.
    """
    index = {place: i for i, place in enumerate(room)}
    terms = []
    for upper, lower in segments:
        weight = 8.0 if upper[0] == lower[0] else 2.0
        terms.append((weight, {upper: 1.0, lower: -1.0}))
    for place in room:
        for near in (
            [a for a, b in segments if b == place],
            [b for a, b in segments if a == place],
        ):
            if len(near) > 1:
                share = -1 / len(near)
                terms.append((1.0, {place: 1.0, **dict.fromkeys(near, share)}))
    total = len(room) + len(terms)
    rows, bounds = [], []
    for number, (_, factors) in enumerate(terms):
        for sign in (1, -1):
            row = np.zeros(total)
            for place, factor in factors.items():
                row[index[place]] = sign * factor
            row[len(room) + number] = -1
            rows.append(row)
            bounds.append(0.0)
    for layer in order:
        for left, right in itertools.pairwise(layer):
            row = np.zeros(total)
            row[index[left]], row[index[right]] = 1, -1
            rows.append(row)
            bounds.append(-(room[left] + room[right]) / 2 - gap)
    costs = np.zeros(total)
    costs[len(room) :] = [weight for weight, _ in terms]
    solved = linprog(costs, np.array(rows), bounds, bounds=(0, None))
    return {place: float(solved.x[i]) for place, i in index.items()}
