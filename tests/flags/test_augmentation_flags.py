"""Both streams' augmentation by flags of their own."""

import importlib.util

import pytest
from absl import flags
from absl.testing import flagsaver

from flags import recurrent_train_flags, train_flags
from tfrecords_builder.errors import UsageError


def values(**given):
    """Of the trainings of cells and of recurrent networks."""
    with flagsaver.flagsaver(**given):
        flags.FLAGS.mark_as_parsed()
        configs = (
            train_flags.train_config(),
            recurrent_train_flags.recurrent_train_config(),
        )
    return [
        (config.frequency_mask, config.time_mask, config.frequency_warp)
        for config in configs
    ]


def test_each_stream_has_its_own():
    assert values() == [(0, 0, 0.0), (0, 0, 0.0)]
    assert values(frequency_mask=3, time_mask=4, frequency_warp=0.2) == [
        (3, 4, 0.2),
        (0, 0, 0.0),
    ]
    assert values(
        recurrent_frequency_mask=5,
        recurrent_time_mask=6,
        recurrent_frequency_warp=0.1,
    ) == [(0, 0, 0.0), (5, 6, 0.1)]


@pytest.mark.parametrize("prefix", ["", "recurrent_"])
def test_masks_without_their_package_are_refused_by_name(prefix, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert values(**{f"{prefix}frequency_warp": 0.1})
    with pytest.raises(UsageError, match=f"--{prefix}time_mask need the pack"):
        values(**{f"{prefix}time_mask": 2})
