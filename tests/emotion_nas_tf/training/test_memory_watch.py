"""What a search says about its memory."""

import pytest

from emotion_nas_tf.config import NetworkConfig, SearchConfig
from emotion_nas_tf.training import memory_watch
from emotion_nas_tf.training.memory_watch import MemoryWatch


@pytest.fixture
def machine(monkeypatch):
    """A search of 2 GB, or 1.5 GB recomputed; 1.7 GB free, 1.9 used."""
    monkeypatch.setattr(
        memory_watch,
        "search_memory",
        lambda network, part, *shape, recompute: 1.5e9 if recompute else 2e9,
    )
    monkeypatch.setattr(memory_watch, "available_memory", lambda: 1.7e9)
    monkeypatch.setattr(memory_watch, "peak_memory", lambda: 1.9e9)


def said(capsys, config):
    watch = MemoryWatch("search", NetworkConfig(), config, (140, 140))
    watch.on_train_begin()
    begin = capsys.readouterr().err
    watch.on_epoch_end(0)
    watch.on_epoch_end(1)
    return begin.strip(), capsys.readouterr().err.strip()


def test_says_what_needs_less_where_memory_is_short(machine, capsys):
    begin, end = said(capsys, SearchConfig(micro_batches=2))
    assert begin == (
        "search: needs about 2.0 GB of memory, 1.7 GB are free; --recompute or "
        "--micro_batches=4 needs less, and so do a smaller --batch_size and "
        "fewer --num_channels."
    )
    # Once, however many epochs follow.
    assert end == "search: 1.9 GB of memory at the peak, 2.0 GB estimated."


def test_does_not_ask_for_what_is_on(machine, capsys, monkeypatch):
    recomputed = SearchConfig(recompute=True)
    begin, _ = said(capsys, recomputed)
    assert begin == "search: needs about 1.5 GB of memory, 1.7 GB are free."
    monkeypatch.setattr(memory_watch, "available_memory", lambda: 1e9)
    begin, _ = said(capsys, recomputed)
    assert "free; --micro_batches=2 needs less" in begin
