"""Flags to a request for sequence features."""

from pathlib import Path

import pytest
from absl import flags
from absl.testing import flagsaver

from flags import wav2vec_flags
from tfrecords_builder.config import CACHE_DIR, SequenceRequest
from tfrecords_builder.errors import UsageError


def request_of(*arguments):
    with flagsaver.flagsaver(corpus="synthetic"):
        flags.FLAGS(["build", *arguments])
        return wav2vec_flags.sequence_request()


def test_none_by_default():
    assert request_of() is None
    assert request_of("--sequence_features=none") is None


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (("--sequence_features=logmel",), {"features": "logmel"}),
        (
            ("--wav2vec_checkpoint=a.pt", "--wav2vec_output=z"),
            {"features": "wav2vec", "encoder": "a.pt", "output": "z"},
        ),
        (
            ("--download_wav2vec", "--max_frames=2911", "--cache_dir=c"),
            {
                "features": "wav2vec",
                "output": "c",
                "download": True,
                "max_frames": 2911,
                "cache_dir": Path("c"),
            },
        ),
        (
            (
                "--sequence_features=transformers:a/b:c",
                "--transformers_layer=3",
                "--pool_frames=1",
            ),
            {
                "features": "transformers",
                "encoder": "a/b:c",
                "output": "3",
                "pool_frames": 1,
            },
        ),
    ],
)
def test_requests(arguments, fields):
    expected = SequenceRequest(**{"cache_dir": CACHE_DIR, **fields})
    assert request_of(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sequence_features=wav2vec2",), "must be none, wav2vec"),
        (("--sequence_features=transformers",), "transformers:NAME"),
        (("--sequence_features=logmel:x",), "must be none"),
        (("--sequence_features=logmel", "--download_wav2vec"), "does nothing"),
        (("--max_frames=4",), "does nothing"),
        (("--wav2vec_checkpoint=a", "--download_wav2vec"), "not both"),
        (
            ("--sequence_features=transformers:a", "--transformers_layer=x"),
            "last, mean or a number",
        ),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        request_of(*arguments)
