"""How much memory a search will take, estimated before it starts.

And less of it: what compiling leaves behind goes back to the system. Pure
Python: no TensorFlow.
"""

import contextlib
import ctypes
import os
import resource
import sys
import threading
from collections.abc import Iterator

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.search_space.edges import NUM_INPUTS
from emotion_nas_tf.search_space.plan import STEM_MULTIPLIER, plan_cells

# TensorFlow itself.
LIBRARY_BYTES = 0.75e9
_BYTES_PER_VALUE = 4
# The graph of a step with what XLA compiles for it.
_GRAPH_BYTES_PER_CELL = 0.24e9
# What is held for a moment, and what the allocators cannot use.
_OVERHEAD = 1.35
_SECONDS_BETWEEN_TRIMS = 0.5


def search_memory(
    network: NetworkConfig,
    batch_size: int,
    frequencies: int,
    frames: int,
    recompute: bool = False,
) -> float:
    """Bytes at the peak of a search step, on a CPU.

    Counts the tensors that the backward pass needs; the constants were
    fitted to peaks that `benchmarks/search_step.py` measures.

    Args:
      network: the search network.
      batch_size: utterances in memory at a time.
      frequencies: of a spectrogram.
      frames: of a spectrogram.
      recompute: whether one cell's values are in memory at a time, and of the
        others what enters them.
    """
    graph = _GRAPH_BYTES_PER_CELL * network.num_cells
    stem, inside, entering = _values_per_utterance(network, frequencies, frames)
    values = stem + sum(entering)
    values += max(inside) if recompute else sum(inside)
    values *= batch_size
    return LIBRARY_BYTES + graph + _OVERHEAD * _BYTES_PER_VALUE * values


def _values_per_utterance(
    network: NetworkConfig, height: int, width: int
) -> tuple[int, list[int], list[int]]:
    """Values that one utterance's backward pass needs.

    Of the stem; of every cell, inside; and what enters it.
    """
    stem = STEM_MULTIPLIER * network.num_channels * height * width
    all_inside, entering = [], []
    for plan in plan_cells(network.num_cells, network.num_channels):
        stride = 2 if plan.reduction else 1
        inside = -(-height // stride) * -(-width // stride)
        total = 0
        for source in range(NUM_INPUTS + network.num_nodes - 1):
            strided = stride == 2 and source < NUM_INPUTS
            before = height * width if strided else inside
            edges = min(
                network.num_nodes, NUM_INPUTS + network.num_nodes - 1 - source
            )
            # Each of the separable convolutions keeps two tensors, each of
            # the dilated ones one, a strided skip connection another.
            own = (7 if strided else 6) * edges * inside
            # The value and the two poolings.
            shared = before + 2 * inside
            mixed = plan.channels // network.partial_channels
            total += mixed * (own + shared)
            if network.partial_channels > 1:
                # What is joined: every edge's mixed channels, and the others.
                others = plan.channels - mixed
                total += (edges * mixed + others) * inside
                if strided:
                    # These are pooled.
                    total += others * (before + inside)
        all_inside.append(total)
        # Its concatenated nodes, and both inputs before their 1x1.
        entering.append(2 * network.num_nodes * plan.channels * inside)
        if stride == 2:
            height, width = -(-height // 2), -(-width // 2)
    return stem, all_inside, entering


def available_memory() -> float | None:
    """Bytes that are free now, where the system tells."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError):
        return None


def peak_memory() -> float:
    """Bytes that this process has held at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return float(peak if sys.platform == "darwin" else peak * 1024)


@contextlib.contextmanager
def handing_back() -> Iterator[None]:
    """Hands freed memory back to the system, again and again, meanwhile.

    Compiling a large graph frees much in small pieces, which glibc keeps. At
    the first step they would lie beside its tensors: some 0.15 GB in a search
    of C=6. Nothing happens with other C libraries.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    over = threading.Event()

    def work():
        while not over.wait(_SECONDS_BETWEEN_TRIMS):
            trim(0)

    if trim is None:
        yield
        return
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
