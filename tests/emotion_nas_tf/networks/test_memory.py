"""The estimate of a search's memory, against tensors counted by hand."""

import threading
import time

import pytest

from emotion_nas_tf.config import NetworkConfig
from emotion_nas_tf.networks import memory


def estimate(batch_size, size=10, **network):
    return memory.search_memory(
        NetworkConfig(**network), batch_size, size, size
    )


def test_values_of_one_normal_cell_and_two_reductions():
    # One node: two sources, an edge each. C = 1, then 2, then 4.
    network = NetworkConfig(num_cells=3, num_channels=1, num_nodes=1)
    stem = 3 * 100
    # A source: 6 tensors an edge, its value, two poolings; then the
    # concatenated node and what the inputs came from.
    normal = 2 * (6 + 1 + 2) * 100 + 2 * 100
    # Halved to 5 x 5, then 3 x 3; a strided skip connection keeps one more.
    first = 2 * 2 * (7 * 25 + 100 + 2 * 25) + 2 * 2 * 25
    second = 2 * 4 * (7 * 9 + 25 + 2 * 9) + 2 * 4 * 9
    values = stem + normal + first + second
    one, two = (memory.search_memory(network, n, 10, 10) for n in (1, 2))
    # 4 bytes a value, and a third again for what is held for a moment.
    assert two - one == pytest.approx(1.35 * 4 * values)

    # Of cells that are recomputed the largest, and what enters the others.
    one, two = (
        memory.search_memory(network, n, 10, 10, recompute=True) for n in (1, 2)
    )
    largest = 2 * (6 + 1 + 2) * 100
    entering = 2 * 100 + 2 * 2 * 25 + 2 * 4 * 9
    assert two - one == pytest.approx(1.35 * 4 * (stem + largest + entering))


def test_values_of_partial_channels():
    # As above with C = 2, 4, 8, of which half is mixed.
    network = NetworkConfig(
        num_cells=3, num_channels=2, num_nodes=1, partial_channels=2
    )
    stem, entering = 3 * 2 * 100, 2 * (2 * 100 + 2 * 2 * 25 + 2 * 4 * 9)
    normal = 2 * (6 + 1 + 2) * 100
    first = 2 * 2 * (7 * 25 + 100 + 2 * 25)
    second = 2 * 4 * (7 * 9 + 25 + 2 * 9)
    # One edge's mixed half and the half that passes by, of both sources.
    joined = 2 * (2 * 100 + 4 * 25 + 8 * 9)
    pooled = 2 * (2 * (100 + 25) + 4 * (25 + 9))
    values = stem + entering + normal + first + second + joined + pooled
    one, two = (memory.search_memory(network, n, 10, 10) for n in (1, 2))
    assert two - one == pytest.approx(1.35 * 4 * values)


@pytest.mark.parametrize(
    ("num_cells", "num_channels", "batch_size", "gigabytes"),
    [
        # Peaks of `benchmarks/search_step.py` and of single steps, 2 cores.
        (3, 6, 16, 3.50),
        (3, 6, 8, 2.43),
        (3, 4, 16, 3.10),
        (4, 8, 8, 3.21),
    ],
)
def test_within_a_quarter_of_what_was_measured(
    num_cells, num_channels, batch_size, gigabytes
):
    guess = estimate(
        batch_size, 140, num_cells=num_cells, num_channels=num_channels
    )
    assert guess == pytest.approx(1e9 * gigabytes, rel=0.25)


def test_options_within_a_quarter_of_what_was_measured():
    # Peaks as above, with --recompute and with --partial_channels=2.
    recomputed = memory.search_memory(
        NetworkConfig(num_channels=6), 16, 140, 140, recompute=True
    )
    assert recomputed == pytest.approx(2.79e9, rel=0.25)
    partial = NetworkConfig(num_channels=4, partial_channels=2)
    guess = memory.search_memory(partial, 16, 140, 140)
    assert guess == pytest.approx(2.31e9, rel=0.25)


def test_this_process_has_used_some_memory():
    assert 1e7 < memory.peak_memory() < 1e12
    free = memory.available_memory()
    assert free is None or free > 0


def test_freed_memory_goes_back_while_something_else_works():
    trims = []

    class Library:
        def malloc_trim(self, pad):
            trims.append((pad, threading.current_thread()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.ctypes, "CDLL", lambda name: Library())
        patch.setattr(memory, "_SECONDS_BETWEEN_TRIMS", 0.01)
        with memory.handing_back():
            deadline = time.monotonic() + 10
            while len(trims) < 3 and time.monotonic() < deadline:
                time.sleep(0.01)
        count = len(trims)
        time.sleep(0.05)
    assert len(trims) == count >= 3
    assert all(pad == 0 for pad, _ in trims)
    assert threading.current_thread() not in {thread for _, thread in trims}


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    threads = threading.active_count()
    with memory.handing_back():
        assert threading.active_count() == threads
