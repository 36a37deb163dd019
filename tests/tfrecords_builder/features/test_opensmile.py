"""openSMILE's own functionals; collected where it is installed."""

import numpy as np
import opensmile
import soundfile

from tfrecords_builder.audio import load_audio
from tfrecords_builder.features.functionals import (
    NUM_FUNCTIONALS,
    Functionals,
    opensmile_version,
)
from tfrecords_builder.records import RecordEntry


def test_functionals_are_those_of_the_package(tmp_path):
    clip = tmp_path / "clip.wav"
    time = np.arange(16_000) / 16_000
    soundfile.write(clip, 0.3 * np.sin(2 * np.pi * 220 * time), 16_000)
    content = load_audio(clip).content_sha256
    entry = RecordEntry("u", "a", "1", 0, content, 1.0, 0, 0, str(clip))
    (row,) = Functionals(tmp_path / "cache", opensmile_version()).of([entry])
    table = opensmile.Smile(
        opensmile.FeatureSet.ComParE_2016,
        opensmile.FeatureLevel.Functionals,
    ).process_file(str(clip))
    assert table.shape == (1, NUM_FUNCTIONALS)
    np.testing.assert_allclose(row, table.to_numpy()[0], rtol=1e-5)
