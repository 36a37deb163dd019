"""A tiny network, exported, and recordings to ask it about."""

import keras
import numpy as np
import pytest
import soundfile
from serving_data import RATE, spectrogram_info, voice

from emotion_nas_tf.run_directory import RunDirectory
from emotion_nas_tf.search_space.genotype import random_genotype
from emotion_nas_tf.serving import assembling, exporting, selection


@pytest.fixture(scope="session")
def system():
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input((140, 140, 1)),
            keras.layers.Conv2D(2, 9, strides=7, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    return network, spectrogram_info(network, random_genotype(0))


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for name, audio, rate in (
        ("short.wav", voice(0.3), RATE),
        ("long.flac", voice(9.5, 220.0), RATE),
        ("stereo.wav", np.stack([voice(2, 90.0, 44_100)] * 2, 1), 44_100),
    ):
        soundfile.write(folder / name, audio, rate)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def exported(system, clips, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembling, "load_system", lambda *_: system)
        run = RunDirectory(tmp_path_factory.mktemp("run"))
        return exporting.export_system(
            run.test(2, "08"), clips=selection.Clips(tuple(clips))
        )
