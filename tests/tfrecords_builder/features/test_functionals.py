"""openSMILE's functionals: kept, and missing."""

import importlib.util

import numpy as np
import pytest
import soundfile

from tfrecords_builder.audio import load_audio
from tfrecords_builder.errors import UsageError
from tfrecords_builder.features import functionals
from tfrecords_builder.features.functionals import (
    NUM_FUNCTIONALS,
    Functionals,
    opensmile_version,
)
from tfrecords_builder.records import RecordEntry


def entry_of(path, content=None):
    content = content or load_audio(path).content_sha256
    return RecordEntry("u", "a", "1", 0, content, 1.0, 0, 0, str(path))


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.wav"
    time = np.arange(16_000) / 16_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * time), 16_000)
    return path


def test_without_the_package(monkeypatch, tmp_path, clip):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install \.\[opensmile\]"):
        opensmile_version()
    # What is kept needs no package.
    entry = entry_of(clip)
    path = tmp_path / "ComParE_2016-1.0" / entry.content_sha256[:2]
    path.mkdir(parents=True)
    row = np.arange(NUM_FUNCTIONALS, dtype=np.float32)
    np.save(path / f"{entry.content_sha256}.npy", row)
    np.testing.assert_array_equal(
        Functionals(tmp_path, "1.0").of([entry, entry]), [row, row]
    )
    with pytest.raises(UsageError, match="not installed"):
        Functionals(tmp_path, "1.1").of([entry])


def test_audio_that_has_gone_or_changed(monkeypatch, tmp_path, clip):
    monkeypatch.setattr(functionals, "opensmile_version", lambda: "1.1")
    with pytest.raises(UsageError, match=r"1\.0 made .* 1\.1 is installed"):
        Functionals(tmp_path, "1.0").of([entry_of(clip)])
    kept = Functionals(tmp_path, "1.1")
    with pytest.raises(UsageError, match=r"clip\.wav has changed"):
        kept.of([entry_of(clip, "0" * 64)])
    entry = entry_of(clip)
    clip.unlink()
    with pytest.raises(UsageError, match=r"clip\.wav is no longer there"):
        kept.of([entry])
